package dataset

import (
	"bytes"
	"regexp"
)

// A fileKind is a kind of file that other programs write and is not read here.
type fileKind struct{ magic, name, remedy string }

// text reports whether it begins with a word of text, which blanks and comments may stand before.
func (k *fileKind) text() bool { return k.magic[0] == '<' || k.magic[0] == '@' || k.magic[0] == '%' }

// tarMagic is where the word ustar stands in an archive of tar.
const tarMagic = 257

const (
	remedyProgram = "read it with the program that it is of, and write it with numpy.save, numpy.savez or as CSV"
	remedyUTF8    = `convert it, such as with iconv -f UTF-16 -t UTF-8, or save it as "CSV UTF-8"`
	remedyFetch   = "fetch the file that was meant"
)

// kinds are told by their first bytes; the longer ones stand before the shorter.
var kinds = []fileKind{
	{"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras, MATLAB 7.3)", remedyProgram}, {"MATLAB 5.0 MAT-file", "a MATLAB file", remedyProgram},
	{"PAR1", "a Parquet file", remedyProgram}, {"ARROW1", "a Feather file", remedyProgram},
	{"\x80\x02", "a pickle", remedyProgram}, {"\x80\x03", "a pickle", remedyProgram}, {"\x80\x04", "a pickle", remedyProgram}, {"\x80\x05", "a pickle", remedyProgram},
	{"\x89PNG", "a picture", remedyProgram}, {"\xff\xd8\xff", "a picture", remedyProgram},
	{"\xd0\xcf\x11\xe0", "a workbook of Excel", remedyProgram},
	{"RDX", "an R data file", remedyProgram}, {"X\n\x00\x00\x00", "an R data file", remedyProgram}, {"$FL2", "an SPSS file", remedyProgram},
	{"\xff\xfe", "text in UTF-16, as Excel's \"Unicode text\"", remedyUTF8}, {"\xfe\xff", "text in UTF-16", remedyUTF8},
	{"@relation", "an ARFF file of Weka", remedyProgram}, {"@RELATION", "an ARFF file of Weka", remedyProgram},
	{"%%MatrixMarket", "a Matrix Market file", remedyProgram},
	{"BZh", "compressed with bzip2", remedyProgram}, {"\xfd7zXZ", "compressed with xz", remedyProgram}, {"\x28\xb5\x2f\xfd", "compressed with zstd", remedyProgram},
	{"version https://git-lfs", "a pointer of Git LFS, not the file itself", "fetch the file with git lfs pull"},
	{"<!DOCTYPE html", "a web page", remedyFetch}, {"<!doctype html", "a web page", remedyFetch}, {"<html", "a web page", remedyFetch}, {"<HTML", "a web page", remedyFetch},
	{"<table", "a web page", remedyFetch}, {"<?xml", "XML", remedyProgram}, {"<stata_dta>", "a Stata file", remedyProgram},
	{"r\x02\x01", "a Stata file", remedyProgram}, {"s\x02\x01", "a Stata file", remedyProgram}, {"r\x01\x01", "a Stata file", remedyProgram}, {"s\x01\x01", "a Stata file", remedyProgram},
}

// Kinds of text that a first line tells.
var (
	jsonLine   = regexp.MustCompile(`^(\[\s*[\[{]|\{\s*"|\[[-0-9., ]*(\],?\s*)?$|[\[{]\s*$)`)
	svmLine    = regexp.MustCompile(`^[-+0-9.eE]+([ \t]+qid:[0-9]+)?([ \t]+[0-9]+:[-+0-9.eE]+)+[ \t]*(#.*)?\r?$`)
	netpbmLine = regexp.MustCompile(`^P[1-6]\s*(#.*)?$`)
)

// foreign returns the kind of a file by its first bytes; the zero fileKind if it may
// be one that is read here.
func foreign(head []byte) fileKind {
	for _, k := range kinds {
		if bytes.HasPrefix(head, []byte(k.magic)) {
			return k
		}
	}
	if len(head) > tarMagic && bytes.HasPrefix(head[tarMagic:], []byte("ustar")) {
		return fileKind{name: "an archive of tar", remedy: "unpack it with tar -xf, and name the file in it"}
	}
	first := true
	line, rest, whole := bytes.Cut(head, []byte("\n"))
	for blank := bytes.TrimSpace(line); whole && (len(blank) == 0 || blank[0] == '%' || blank[0] == '#'); blank = bytes.TrimSpace(line) { // lines of comment
		line, rest, whole = bytes.Cut(rest, []byte("\n"))
		first = false
	}
	if start := bytes.TrimSpace(line); !first || !bytes.Equal(start, line) {
		for _, k := range kinds {
			if k.text() && bytes.HasPrefix(start, []byte(k.magic)) {
				return k
			}
		}
	}
	switch {
	case jsonLine.Match(line):
		return fileKind{name: "JSON, or lists as Python prints them", remedy: remedyProgram}
	case whole && svmLine.Match(line):
		return fileKind{name: "a file of svmlight", remedy: "read it with sklearn.datasets.load_svmlight_file, and write it with numpy.save"}
	case whole && netpbmLine.Match(line):
		return fileKind{name: "a picture", remedy: remedyProgram}
	}
	return fileKind{}
}
