package main

import (
	"fmt"
	"time"

	"bethe/internal/parallel"
)

// each does the work of count instances, several at a time, under a bar that
// counts them. It returns the seconds of the clock and the error of the first
// instance that has one.
func (c *console) each(what string, count int, work func(k int) error) (seconds float64, err error) {
	bar := c.progress(what)
	defer bar.done()
	began, errs := time.Now(), make([]error, count)
	done := make(chan struct{}, count)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		k := 0
		for range done {
			k++
			bar.set(float64(k)/float64(count), fmt.Sprintf("%d of %d instances", k, count))
		}
	}()
	parallel.For(count, 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			errs[k] = work(k)
			done <- struct{}{}
		}
	})
	close(done)
	<-finished
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return time.Since(began).Seconds(), nil
}
