//go:build !unix

package main

import "time"

// timeIs says what spent returns.
const timeIs = "time on the clock"

var began = time.Now()

// spent returns the time since the program began.
func spent() time.Duration { return time.Since(began) }
