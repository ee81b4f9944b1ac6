package dashboard_test

import (
	"context"
	"fmt"
	"os"

	"bethe/dashboard"
)

// Serve the runs of a folder until the context is done.
func Example() {
	folder, err := os.MkdirTemp("", "runs")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	server, err := dashboard.New(folder, dashboard.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := server.Listen("0.0.0.0:0"); err != nil {
		fmt.Println(err)
	}
	listener, err := server.Listen("127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	stop() // in a program, at its end
	fmt.Println(server.Serve(ctx, listener))
	// Output:
	// 0.0.0.0:0 is open to others and needs a token
	// <nil>
}
