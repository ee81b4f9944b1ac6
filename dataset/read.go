package dataset

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"bethe/internal/npy"
)

// Read reads the set of samples in the file at path, and its labels where opt
// says they are. Its errors are [*FileError]s.
func Read(path string, opt Options) (*Set, error) {
	var set *Set
	err := open(path, opt, func(r io.ReaderAt, size int64) (err error) {
		set, err = Decode(path, r, size, opt)
		return err
	})
	return set, err
}

// Decode is Read on the size bytes of r, which errors call path. Labels that
// opt.LabelPath names are read from that file.
func Decode(path string, r io.ReaderAt, size int64, opt Options) (*Set, error) {
	c, err := recognise(path, r, size, opt)
	if err != nil {
		return nil, err
	}
	if err := opt.samples(path, c.format); err != nil {
		return nil, err
	}
	set, err := c.samples(opt)
	if err != nil {
		return nil, err
	}
	if opt.LabelPath != "" {
		if set.Labels, set.Classes, err = ReadLabels(opt.LabelPath, opt); err != nil {
			return nil, err
		}
		if len(set.Labels) != set.Len() {
			return nil, labelCount(opt.LabelPath, "", len(set.Labels), set.Len(), path)
		}
	}
	if opt.Transpose {
		if problem, remedy := set.transpose(); problem != "" {
			return nil, &FileError{Path: path, Problem: problem, Remedy: remedy}
		}
	}
	set.letters, set.Source.Transposed = nil, opt.Transpose
	set.impute(opt.Units)
	if problem := set.become(opt.Units); problem != "" {
		return nil, &FileError{Path: path, Problem: problem, Remedy: "units of colours take whole numbers from 0 on; of other numbers say that they are gauss"}
	}
	set.Source.Notes = append(set.Source.Notes, set.decided(opt)...)
	set.Name = filepath.Base(path)
	set.Source.Gzip = c.source.gzip
	return set, nil
}

// DecodeStream is Decode on what comes through r, which it reads to the end and
// holds in memory.
func DecodeStream(path string, r io.Reader, opt Options) (*Set, error) {
	if err := opt.check(path); err != nil {
		return nil, err
	}
	s := newSource(path, r, opt.limit())
	content, err := io.ReadAll(s)
	if err != nil {
		return nil, s.failed(err, "the file")
	}
	return Decode(path, bytes.NewReader(content), int64(len(content)), opt)
}

// ReadLabels reads the labels in the file at path. Of opt it heeds Header,
// LabelColumn, LabelArray and MaxBytes. Where they are stored as words it returns
// the names of the labels 0, 1, ..., else nil. Its errors are [*FileError]s.
func ReadLabels(path string, opt Options) (labels []int, classes []string, err error) {
	err = open(path, opt, func(r io.ReaderAt, size int64) (err error) {
		labels, classes, err = DecodeLabels(path, r, size, opt)
		return err
	})
	return labels, classes, err
}

// DecodeLabels is ReadLabels on the size bytes of r, which errors call path.
func DecodeLabels(path string, r io.ReaderAt, size int64, opt Options) (labels []int, classes []string, err error) {
	c, err := recognise(path, r, size, opt)
	if err != nil {
		return nil, nil, err
	}
	if err := opt.labels(path, c.format); err != nil {
		return nil, nil, err
	}
	all, err := c.labels(opt)
	if err != nil {
		return nil, nil, plain(err)
	}
	return all.numbers, all.classes, nil
}

// open calls body on the content of the file at path. What is no regular file,
// such as a pipe, is read whole first, since an npz file is read out of order.
func open(path string, opt Options, body func(r io.ReaderAt, size int64) error) error {
	failed := func(err error) error {
		return &FileError{Path: path, Problem: "cannot be read", Err: err, Remedy: "check the path and the rights to it"}
	}
	if err := opt.check(path); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return failed(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return failed(err)
	}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return body(f, info.Size())
	case mode.IsDir():
		return &FileError{Path: path, Problem: "is a folder", Remedy: "name a file in it"}
	}
	s := newSource(path, f, opt.limit())
	content, err := io.ReadAll(s)
	if err != nil {
		return s.failed(err, "the file")
	}
	return body(bytes.NewReader(content), int64(len(content)))
}

// A format is a kind of file.
type format int

const (
	formatCSV format = iota
	formatIDX
	formatNPY
	formatNPZ
	formatFASTA
)

func (f format) String() string { return [...]string{"CSV", "IDX", "npy", "npz", "FASTA"}[f] }

// article returns the name of the format for a sentence.
func (f format) article() string {
	return [...]string{"text", "an IDX file", "an npy file", "an npz file", "an alignment"}[f]
}

const (
	magicGzip   = "\x1f\x8b"
	magicNPY    = npy.Magic
	magicZip    = "PK\x03\x04"
	magicZipNil = "PK\x05\x06" // a zip file without entries
	magicIDX    = "\x00\x00"
)

// A content is a file whose format is known.
type content struct {
	format format
	source *source     // from the start of the content
	raw    io.ReaderAt // the file, of size bytes
	size   int64
}

// recognise tells the format of a file by its first bytes.
func recognise(path string, r io.ReaderAt, size int64, opt Options) (*content, error) {
	if err := opt.check(path); err != nil {
		return nil, err
	}
	c := &content{raw: r, size: size}
	var err error
	if c.source, err = c.open(path, opt); err != nil {
		return nil, err
	}
	head, err := c.source.r.Peek(512)
	switch has := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }; {
	case err != nil && err != io.EOF:
		place := ""
		if c.source.gzip {
			place = "gzip data"
		}
		return nil, &FileError{Path: path, Place: place, Problem: "cannot be read", Remedy: remedyAgain, Err: err}
	case len(head) == 0:
		return nil, &FileError{Path: path, Problem: "is empty", Remedy: remedyAgain}
	case has(magicIDX):
		c.format = formatIDX
	case has(magicNPY):
		c.format = formatNPY
	case (has(magicZip) || has(magicZipNil)) && !c.source.gzip:
		c.format = formatNPZ
	case bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte(">")):
		c.format = formatFASTA
	case has(magicZip), has(magicZipNil), has(magicGzip):
		return nil, &FileError{Path: path, Problem: "is compressed twice over", Remedy: "decompress it once with gunzip"}
	case foreign(head).name != "":
		return nil, &FileError{Path: path, Problem: "is " + foreign(head).name, Remedy: foreign(head).remedy}
	case bytes.IndexByte(head, 0) >= 0:
		return nil, c.source.fail(0, "begins with the bytes "+strconv.QuoteToASCII(string(head[:min(8, len(head))]))+", which are neither IDX, npy, npz, gzip nor text",
			"convert it to one of these, such as with numpy.save")
	}
	return c, nil
}

// open returns the content from its start, decompressed.
func (c *content) open(path string, opt Options) (*source, error) {
	s := newSource(path, io.NewSectionReader(c.raw, 0, c.size), opt.limit())
	if head, _ := s.r.Peek(len(magicGzip)); string(head) == magicGzip {
		inner, err := gzip.NewReader(s.r)
		if err != nil {
			return nil, &FileError{Path: path, Place: "gzip header", Problem: "cannot be read", Remedy: remedyAgain, Err: err}
		}
		s = newSource(path, inner, opt.limit())
		s.gzip = true
	}
	return s, nil
}

// samples reads the content as samples, and the labels it keeps beside them.
func (c *content) samples(opt Options) (*Set, error) {
	switch c.format {
	case formatIDX, formatNPY:
		a, err := c.array()
		if err != nil {
			return nil, err
		}
		return a.samples(c.format, opt, func(read func(a *array) error) (err error) {
			if c.source, err = c.open(c.source.path, opt); err != nil {
				return err
			}
			if a, err = c.array(); err != nil {
				return err
			}
			return read(a)
		})
	case formatNPZ:
		return c.samplesNPZ(opt)
	case formatFASTA:
		return c.samplesFASTA(opt)
	}
	return c.samplesCSV(opt)
}

// labels reads the content as labels.
func (c *content) labels(opt Options) (labelling, error) {
	switch c.format {
	case formatIDX, formatNPY:
		a, err := c.array()
		if err != nil {
			return labelling{}, err
		}
		return a.labels()
	case formatNPZ:
		return c.labelsNPZ(opt)
	}
	return c.labelsCSV(opt)
}

// array reads the header of a content that is one array.
func (c *content) array() (*array, error) {
	if c.format == formatIDX {
		return headerIDX(c.source)
	}
	return headerNPY(c.source)
}

// labelCount is the error of labels that are not one per sample.
func labelCount(path, place string, labels, samples int, of string) *FileError {
	return &FileError{Path: path, Place: place,
		Problem: strconv.Itoa(labels) + " labels for the " + strconv.Itoa(samples) + " samples of " + of,
		Remedy:  "name the labels that belong to these samples"}
}
