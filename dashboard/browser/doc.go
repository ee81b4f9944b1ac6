// Package browser holds tests of the page in a real browser. It is a module of
// its own, so that only those who run them need what drives a browser.
package browser
