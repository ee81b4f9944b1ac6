package stream_test

import (
	"fmt"

	"bethe/stream"
)

// A stream is known by its name, so it does not matter who draws first.
func Example() {
	const chains, batches = 0, 1 // what numbers are for
	key := stream.New(7)
	a := key.Sub(chains).Rand().IntN(1000)
	b := key.Sub(batches).Rand().IntN(1000)
	again := key.Sub(chains).Rand().IntN(1000)
	fmt.Println(a == again, a == b)
	// Output: true false
}
