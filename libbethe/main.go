// Libbethe is the C interface of the library, for other languages: bethe.h documents
// it, README.md shows it at work. It has no logic of its own: it turns C's arrays and
// texts into values of the packages, and their errors into statuses.
//
//	go build -buildmode=c-shared -o libbethe.so ./libbethe
package main

/*
#include <stdlib.h>
#include "bethe.h"
*/
import "C"

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/cgo"
	"runtime/debug"
	"unsafe"

	"bethe/internal/build"
	"bethe/learn"
	"bethe/setting"
)

func main() {}

// An invalid error is one of an argument or a request.
type invalid struct{ error }

// Unwrap returns what was wrong.
func (e invalid) Unwrap() error { return e.error }

func invalidf(format string, args ...any) error { return invalid{fmt.Errorf(format, args...)} }

// A panicked error is a panic of a job.
type panicked struct {
	value any
	stack []byte
}

// Error tells the panic and where it was.
func (e *panicked) Error() string {
	return fmt.Sprintf("a mistake of this program, please report it: %v\n%s", e.value, e.stack)
}

// status returns the status of an error.
func status(err error) C.int32_t {
	switch {
	case err == nil:
		return C.BETHE_DONE
	case errors.As(err, new(*panicked)):
		return C.BETHE_PANIC
	case errors.As(err, new(invalid)), errors.As(err, new(*setting.Error)):
		return C.BETHE_INVALID
	case errors.Is(err, context.Canceled):
		return C.BETHE_CANCELLED
	}
	return C.BETHE_FAILED
}

// try does the work of a function: it turns its error, or its panic, into a status and
// a text.
func try(text **C.char, work func() error) C.int32_t {
	err := guarded(work)
	if err != nil && text != nil {
		*text = C.CString(err.Error())
	}
	return status(err)
}

// guarded returns the panic of work as an error.
func guarded(work func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{v, debug.Stack()}
		}
	}()
	return work()
}

// of returns what a handle stands for, if it is a T.
func of[T any](handle C.bethe_handle, what string) (T, error) {
	value, err := any(handle), error(nil)
	func() {
		defer func() {
			if recover() != nil {
				err = invalidf("handle %d stands for nothing: it is closed, or never was one", uint(handle))
			}
		}()
		value = cgo.Handle(handle).Value()
	}()
	t, ok := value.(T)
	if err == nil && !ok {
		err = invalidf("handle %d is not of %s", uint(handle), what)
	}
	return t, err
}

// hand gives a value away.
func hand(to *C.bethe_handle, value any) { *to = C.bethe_handle(cgo.NewHandle(value)) }

// say gives a text away.
func say(to **C.char, value any) error {
	text, err := json.Marshal(value)
	if err == nil {
		*to = C.CString(string(text))
	}
	return err
}

// parse reads a request. Without a text the request stays as it is.
func parse(text C.bethe_text, request any) error {
	if text == nil {
		return nil
	}
	words := []byte(C.GoString(text))
	if len(bytes.TrimSpace(words)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(words))
	d.DisallowUnknownFields()
	if err := d.Decode(request); err != nil {
		return invalidf("the request: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return invalidf("the request: more than one JSON object")
	}
	return nil
}

// elements returns the elements of a C array, which are not copied.
func elements[T, P any](pointer *P, count int) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(pointer)), count)
}

//export bethe_version
func bethe_version() *C.char {
	var text *C.char
	_ = say(&text, struct { // numbers and words have a JSON form
		Interface int `json:"interface"`
		build.Report
	}{C.BETHE_INTERFACE, build.Describe()})
	return text
}

//export bethe_recipe
func bethe_recipe(recipe C.bethe_text, out **C.char, text **C.char) C.int32_t {
	return try(text, func() error {
		words := json.RawMessage("{}")
		if err := parse(recipe, &words); err != nil {
			return err
		}
		r, _, err := learn.ParseRecipe(words)
		if err != nil {
			return invalid{err}
		}
		return say(out, r)
	})
}

//export bethe_threads
func bethe_threads(n C.int32_t) C.int32_t { return C.int32_t(runtime.GOMAXPROCS(int(n))) }

//export bethe_free
func bethe_free(text unsafe.Pointer) { C.free(text) }

// A closer gives up what goes on.
type closer interface{ close() }

//export bethe_close
func bethe_close(handle C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		value, err := of[any](handle, "anything")
		if err != nil {
			return err
		}
		cgo.Handle(handle).Delete()
		if c, ok := value.(closer); ok {
			c.close()
		}
		return nil
	})
}
