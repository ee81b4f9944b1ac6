package main

import "html/template"

const style = `<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 54rem; margin: 2rem auto; padding: 0 1rem; }
pre { background: color-mix(in srgb, CanvasText 7%, Canvas); padding: .7rem; overflow-x: auto; border-radius: 4px; font-size: 14px; }
h3 { margin-top: 2.5rem; } .below { margin-left: 1.5rem; } nav { columns: 16rem; } td { vertical-align: top; padding: .2rem 1rem .2rem 0; }
a { color: LinkText; }
</style>`

// packagePage is the page of a package.
var packagePage = template.Must(template.New("package").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Path}}</title>` + style + `</head><body>
<p><a href="index.html">all packages</a></p>
<h1>package {{.Name}}</h1>
<pre>import "{{.Path}}"</pre>
{{.Doc}}
{{if .Items}}<h2>Index</h2><nav>{{range .Items}}{{if .ID}}<div{{if .Level}} class="below"{{end}}><a href="#{{.ID}}">{{.Kind}}</a></div>{{end}}{{end}}</nav>{{end}}
{{range .Items}}<section{{if .Level}} class="below"{{end}}>
<h3{{if .ID}} id="{{.ID}}"{{end}}>{{.Kind}}{{range .Names}}<a id="{{.}}"></a>{{end}}</h3>
<pre>{{.Code}}</pre>
{{.Doc}}
</section>
{{end}}</body></html>
`))

// indexPage lists the packages.
var indexPage = template.Must(template.New("index").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>bethe: packages</title>` + style + `</head><body>
<h1>bethe: packages</h1>
<table>{{range .}}<tr><td><a href="{{.Page}}">{{.Path}}</a></td><td>{{.Synopsis}}</td></tr>
{{end}}</table></body></html>
`))
