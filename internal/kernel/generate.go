package kernel

//go:generate go run -C gen . -group mul -out ../mul_amd64.s -stubs ../mul_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group coarse -out ../coarse_amd64.s -stubs ../coarse_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group draw -out ../draw_amd64.s -stubs ../draw_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group elementwise -out ../elementwise_amd64.s -stubs ../elementwise_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group count -out ../count_amd64.s -stubs ../count_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group transpose -out ../transpose_amd64.s -stubs ../transpose_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group adam -out ../adam_amd64.s -stubs ../adam_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group hyperadam -out ../hyperadam_amd64.s -stubs ../hyperadam_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group edge -out ../edge_amd64.s -stubs ../edge_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group bitmatrix -out ../bitmatrix_amd64.s -stubs ../bitmatrix_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group real -out ../real_amd64.s -stubs ../real_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group row -out ../row_amd64.s -stubs ../row_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group onehot -out ../onehot_amd64.s -stubs ../onehot_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group gauss -out ../gauss_amd64.s -stubs ../gauss_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group tile -out ../tile_amd64.s -stubs ../tile_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group whole -out ../whole_amd64.s -stubs ../whole_stub_amd64.go -pkg kernel
//go:generate go run -C gen . -group join -out ../join_amd64.s -stubs ../join_stub_amd64.go -pkg kernel
//go:generate go run -C gen ./gausstable -out ../gausstable.go
