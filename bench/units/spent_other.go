//go:build !unix

package main

import "time"

// spent returns seconds on the clock, where processor time is not known.
func spent() float64 { return time.Since(started).Seconds() }

var started = time.Now()
