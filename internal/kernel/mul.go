package kernel

// MulBits computes the product of a real matrix and a packed ±1 matrix:
//
//	dst[i*lanes+l] = sum over r of a[i*k+r] s(r, l),   i < p, r < k, l < lanes.
//
// a is p x k and dst p x lanes, row-major; bits is k x lanes, packed. No
// multiplication is done: the sums of every sign pattern of six neighbours in
// a row of a are tabulated, and the data pick one (the method of the four
// Russians; Arlazarov, Dinic, Kronrod and Faradzev 1970). Each output is summed
// by one call in an order that depends on its own row alone, so splitting the
// rows among threads does not change a bit of it. Vector kernels have tables
// of five or three neighbours, so that sums differ by rounding.
func MulBits[T Real](dst, a []T, p, k int, bits []uint32, stride, lanes int) {
	if dst, ok := any(dst).([]float32); ok {
		use().mulBits(dst, any(a).([]float32), p, k, bits, stride, lanes)
		return
	}
	mulBits(dst, a, p, k, bits, stride, lanes)
}

func mulBits[T Real](dst, a []T, p, k int, bits []uint32, stride, lanes int) {
	words := Words(k)
	if lanes <= fewLanes {
		mulFew(dst, a, p, k, bits, stride, lanes)
		return
	}
	var tables [5][64]T
	t0, t1, t2, t3, t4 := &tables[0], &tables[1], &tables[2], &tables[3], &tables[4]
	for i := range p {
		row := a[i*k : (i+1)*k]
		out := dst[i*lanes : (i+1)*lanes]
		if words == 0 {
			clear(out)
		}
		for w := range words {
			for g := range tables {
				signedSums(&tables[g], row[min(w*WordBits+g*6, k):])
			}
			word := bits[w*stride : w*stride+lanes][:len(out)]
			if w == 0 {
				for l, v := range word {
					out[l] = (t0[v&63] + t1[v>>6&63]) + (t2[v>>12&63] + t3[v>>18&63]) + t4[v>>24&63]
				}
			} else {
				for l, v := range word {
					out[l] += (t0[v&63] + t1[v>>6&63]) + (t2[v>>12&63] + t3[v>>18&63]) + t4[v>>24&63]
				}
			}
		}
	}
}

// fewLanes is the largest number of lanes where tables of sums cost more than the sums.
const fewLanes = 4

// mulFew adds without tables, in the same order.
func mulFew[T Real](dst, a []T, p, k int, bits []uint32, stride, lanes int) {
	words := Words(k)
	clear(dst[:p*lanes])
	for i := range p {
		row := a[i*k : (i+1)*k]
		for w := range words {
			x := row[w*WordBits:]
			var last [WordBits]T
			if len(x) < WordBits {
				copy(last[:], x)
				x = last[:]
			}
			for l, v := range bits[w*stride : w*stride+lanes] {
				dst[i*lanes+l] += (signed6(x, v) + signed6(x[6:], v>>6)) + (signed6(x[12:], v>>12) + signed6(x[18:], v>>18)) + signed6(x[24:], v>>24)
			}
		}
	}
}

// signed6 is the element of signedSums with the index of the lowest six bits of v.
func signed6[T Real](x []T, v uint32) T {
	x = x[:6]
	return (sign(x[3], v>>3) + sign(x[4], v>>4) + sign(x[5], v>>5)) + (sign(x[0], v) + sign(x[1], v>>1) + sign(x[2], v>>2))
}

// sign returns x if the lowest bit is set, else -x.
func sign[T Real](x T, bit uint32) T { return x * T(int32(bit&1)*2-1) }

// signedSums tabulates sum over j < 6 of ±x[j], + where bit j of the index is
// set; missing elements count as 0.
func signedSums[T Real](t *[64]T, x []T) {
	var v [6]T
	copy(v[:], x)
	low, high := signedSums3(v[0], v[1], v[2]), signedSums3(v[3], v[4], v[5])
	for i, h := range high {
		row := (*[8]T)(t[8*i:])
		for j, l := range low {
			row[j] = h + l
		}
	}
}

func signedSums3[T Real](a, b, c T) [8]T {
	p, m := a+b, a-b
	return [8]T{-p - c, m - c, -m - c, p - c, c - p, c + m, c - m, c + p}
}
