package dataset

import (
	"archive/zip"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// maxArraysNPZ limits the arrays of an npz file: the reader may have to look into
// each of them.
const maxArraysNPZ = 1024

// namesNPZ are the usual names of samples. If one of several arrays has such a name, it is taken.
var namesNPZ = []string{"x_train", "X_train", "train_images", "samples", "data", "images", "X", "x"}

// labelsNPZ are the usual names of labels. The name that partnerNPZ
// gives for the samples is tried before them.
var labelsNPZ = []string{"labels", "label", "targets", "target", "y"}

// partnerNPZ names the labels that belong to samples of a name.
var partnerNPZ = map[string]string{
	"x_train": "y_train", "x_test": "y_test", "x_val": "y_val", "X_train": "y_train", "X_test": "y_test", "X_val": "y_val",
	"train_images": "train_labels", "test_images": "test_labels", "val_images": "val_labels",
	"train_data": "train_labels", "test_data": "test_labels", "X": "Y", "x": "y",
}

// isLabelName reports whether an array is called as arrays of labels are.
func isLabelName(name string) bool {
	for _, partner := range partnerNPZ {
		if name == partner {
			return true
		}
	}
	return slices.Contains(labelsNPZ, name)
}

// An archive is an npz file: a zip file whose entries NAME.npy are arrays.
type archive struct {
	path   string
	limit  int64
	names  []string // in the order of the file
	member map[string]*zip.File
}

func (c *content) archive() (*archive, error) {
	path := c.source.path
	z, err := zip.NewReader(c.raw, c.size)
	if err != nil {
		return nil, &FileError{Path: path, Problem: "the zip directory cannot be read", Remedy: remedyAgain, Err: err}
	}
	n := &archive{path: path, limit: c.source.limit, member: map[string]*zip.File{}}
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		switch {
		case !ok:
			continue
		case n.member[name] != nil:
			return nil, &FileError{Path: path, Place: "array " + quote(name), Problem: "two arrays have this name", Remedy: "write the file with numpy.savez, each name once"}
		case len(n.names) == maxArraysNPZ:
			return nil, &FileError{Path: path, Problem: "more than " + strconv.Itoa(maxArraysNPZ) + " arrays", Remedy: "store the samples in a file of their own"}
		}
		n.names = append(n.names, name)
		n.member[name] = f
	}
	if len(n.names) == 0 {
		problem, remedy := "a zip file without arrays", "write it with numpy.savez, or as CSV"
		for _, f := range z.File {
			switch {
			case strings.HasPrefix(f.Name, "xl/"):
				problem = "is a workbook of Excel"
			case f.Name == "content.xml":
				problem, remedy = "is a document of OpenDocument", "save the sheet as CSV"
			case strings.HasSuffix(f.Name, ".weights.h5"):
				problem = "is a model of Keras"
			case strings.HasSuffix(f.Name, "data.pkl"):
				problem = "is a file of PyTorch"
			case strings.HasSuffix(f.Name, ".csv"):
				problem, remedy = "a zip file of "+quote(f.Name)+", not of arrays", "unpack it, such as with unzip, and name the file in it"
			}
		}
		return nil, &FileError{Path: path, Problem: problem, Remedy: remedy}
	}
	return n, nil
}

// use calls body on the array of a name, its header read. An array whose
// elements are neither numbers nor text is a notLabels.
func (n *archive) use(name string, body func(a *array) error) error {
	r, err := n.member[name].Open()
	if err != nil {
		return &FileError{Path: n.path, Place: "array " + quote(name), Problem: "cannot be opened", Remedy: "write the file with numpy.savez", Err: err}
	}
	defer r.Close()
	s := newSource(n.path, io.Reader(r), n.limit)
	s.array = name
	a, err := headerNPY(s)
	if unfit, ok := errors.AsType[*FileError](err); ok && s.unfit {
		return notLabels{unfit}
	}
	if err != nil {
		return err
	}
	return body(a)
}

// header reports whether the header of the array of a name can be read and
// satisfies test.
func (n *archive) header(name string, test func(a *array) bool) bool {
	ok := false
	err := n.use(name, func(a *array) error {
		ok = test(a)
		return nil
	})
	return err == nil && ok
}

// find returns the array the caller asked for by name, with or without .npy.
func (n *archive) find(name string) (string, error) {
	for _, name := range []string{name, strings.TrimSuffix(name, ".npy")} {
		if n.member[name] != nil {
			return name, nil
		}
	}
	return "", &FileError{Path: n.path, Problem: "there is no array " + quote(name), Remedy: "name one of " + quoteAll(n.names)}
}

// choose returns the only array that fits, or the only one among those that
// fit whose name is one of the usual; those with unusual names fit only if no
// other does. Arrays whose header cannot be read, such
// as those of text, do not fit, unless there is no other.
func (n *archive) choose(what, option string, usual, unusual []string, fits func(a *array) bool) (string, error) {
	if len(n.names) == 1 {
		return n.names[0], nil
	}
	var fit, known, others []string
	for _, name := range n.names {
		switch {
		case !n.header(name, fits):
			continue
		case slices.Contains(usual, name):
			known = append(known, name)
		case slices.Contains(unusual, name):
			others = append(others, name)
			continue
		}
		fit = append(fit, name)
	}
	if len(fit) == 0 {
		fit = others
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(known) == 1:
		return known[0], nil
	case len(fit) == 0 && n.member["format"] != nil && n.member["shape"] != nil:
		return "", n.sparse()
	case len(fit) == 0:
		return "", &FileError{Path: n.path, Problem: "none of the arrays " + quoteAll(n.names) + " holds " + what, Remedy: "name one with {" + option + "} to learn why"}
	}
	if n.member["synapses"] != nil && n.member["coupling"] != nil {
		return "", &FileError{Path: n.path, Problem: "it is a model, not data", Remedy: "name data, or draw samples from the model and name those"}
	}
	return "", &FileError{Path: n.path, Problem: "several arrays could be the " + what, Remedy: "name one of " + quoteAll(fit) + " with {" + option + "}"}
}

// sparse is the error of a matrix whose zeros are not stored.
func (n *archive) sparse() error {
	return &FileError{Path: n.path, Problem: "is a sparse matrix of SciPy", Remedy: "store it dense, such as with numpy.save(path, scipy.sparse.load_npz(path).toarray())"}
}

func (c *content) samplesNPZ(opt Options) (*Set, error) {
	n, err := c.archive()
	if err != nil {
		return nil, err
	}
	var name string
	if opt.Array != "" {
		name, err = n.find(opt.Array)
	} else {
		name, err = n.choose("samples", "Array", namesNPZ, slices.DeleteFunc(slices.Clone(n.names), func(name string) bool { return !isLabelName(name) }), func(a *array) bool {
			a.orient(opt)
			return a.hasSamples()
		})
		if err == nil && n.member["shape"] != nil && n.member["format"] != nil && name == "data" {
			err = n.sparse()
		}
	}
	if err != nil {
		return nil, err
	}
	var set *Set
	last := 0 // what the last axis counts
	err = n.use(name, func(a *array) (err error) {
		last = int(a.stored[len(a.stored)-1])
		set, err = a.samples(formatNPZ, opt, func(read func(a *array) error) error { return n.use(name, read) })
		return err
	})
	if err != nil {
		return nil, plain(err)
	}
	if opt.Array == "" && len(n.names) > 1 {
		set.Source.Notes = append(set.Source.Notes, "array "+quote(name)+" holds the samples")
	}
	if opt.LabelPath != "" || opt.LabelColumn != "" {
		return set, nil
	}
	return set, n.label(set, name, opt, last)
}

// unread notes the arrays that may hold labels of the samples, where none are taken.
func (n *archive) unread(set *Set, samples string) {
	var may []string
	for _, name := range n.names {
		if name != samples && n.header(name, func(a *array) bool { return a.hasLabels() && a.count == int64(set.Len()) }) {
			may = append(may, name)
		}
	}
	if may != nil {
		set.Source.Notes = append(set.Source.Notes, "no labels are read, though "+quoteAll(may)+" may hold them")
	}
}

// label reads the labels of a set out of the archive, if it keeps any. The last axis of
// its samples has the given length.
func (n *archive) label(set *Set, samples string, opt Options, last int) error {
	name := n.partner(samples)
	if opt.LabelArray != "" {
		var err error
		if name, err = n.find(opt.LabelArray); err != nil {
			return err
		}
	}
	if name == "" {
		n.unread(set, samples)
		return nil
	}
	labels, err := n.labels(name)
	if unfit, ok := errors.AsType[notLabels](err); ok && opt.LabelArray == "" {
		set.Source.Notes = append(set.Source.Notes, "array "+quote(name)+" is not taken for labels: "+unfit.Problem)
		return nil
	}
	if err != nil {
		return plain(err)
	}
	if len(labels.numbers) != set.Len() {
		wrong := labelCount(n.path, "array "+quote(name), len(labels.numbers), set.Len(), "array "+quote(samples))
		if opt.SamplesAxis == AxisAuto && len(labels.numbers) == last {
			wrong.Remedy = "if the last axis of that array counts the samples, say so with {SamplesAxis}: last"
		}
		return wrong
	}
	if opt.LabelArray == "" {
		set.Source.Notes = append(set.Source.Notes, "array "+quote(name)+" holds the labels")
	}
	set.Labels, set.Classes, set.Source.Labels = labels.numbers, labels.classes, name
	return nil
}

// labels reads the array of a name as labels. An array that can hold no
// labels is a notLabels.
func (n *archive) labels(name string) (labels labelling, err error) {
	err = n.use(name, func(a *array) (err error) {
		labels, err = a.labels()
		return err
	})
	return labels, err
}

// plain returns a notLabels as the FileError that it is.
func plain(err error) error {
	if unfit, ok := errors.AsType[notLabels](err); ok {
		return unfit.FileError
	}
	return err
}

// partner returns the name of the labels that by convention belong to samples
// of a name, "" if there are none.
func (n *archive) partner(samples string) string {
	for _, name := range append([]string{partnerNPZ[samples]}, labelsNPZ...) {
		if n.member[name] != nil && name != samples {
			return name
		}
	}
	return ""
}

func (c *content) labelsNPZ(opt Options) (labelling, error) {
	n, err := c.archive()
	if err != nil {
		return labelling{}, err
	}
	var name string
	if opt.LabelArray != "" {
		name, err = n.find(opt.LabelArray)
	} else {
		name, err = n.choose("labels", "LabelArray", append([]string{"y_train", "train_labels"}, labelsNPZ...), nil, (*array).hasLabels)
	}
	if err != nil {
		return labelling{}, err
	}
	return n.labels(name)
}
