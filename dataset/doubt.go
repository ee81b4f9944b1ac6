package dataset

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// leastSide is the smallest side of a square that counts as a picture where the
// number of columns is all that speaks for one.
const leastSide = 8

// squareSide returns the side of a square picture of n spins.
func squareSide(n int) (side int, ok bool) {
	side = int(math.Round(math.Sqrt(float64(max(n, 0)))))
	return side, side >= leastSide && side*side == n
}

// describe writes the decisions about columns to the set, and notes columns that may be no
// spins. It returns an error if columns are one-hot, as labels are.
func (l *layout) describe(set *Set, p *packer, opt Options) error {
	for _, k := range l.dropped {
		set.Source.Dropped = append(set.Source.Dropped, l.called(k))
	}
	if l.label >= 0 {
		set.Source.Labels = l.called(l.label)
	}
	set.Source.Notes = append(set.Source.Notes, l.notes...)
	if problem := p.alike(set); problem != "" {
		set.Source.Notes = append(set.Source.Notes, problem)
	}
	set.Columns = l.named()
	if len(opt.Columns) > 0 || l.learned {
		return nil
	}
	if strange := l.strange(); strange != nil && opt.Threshold != nil {
		set.Source.Notes = append(set.Source.Notes, few(strange)+" alone held other numbers than 0, 1 and -1")
	}
	if k, side, at := oneHot(set); k > 0 && l.label < 0 {
		return l.fail(picturesAnd(set.Visible(), side, k)+": "+at+" columns are one-hot, as labels are",
			"leave them out with {DropColumns}, or take all with {Columns}: all")
	}
	return nil
}

// mostNames limits the bytes of the names of columns that a set keeps.
const mostNames = 1 << 18

// named returns the names of the columns of the spins. It is nil if there are none, two are
// the same, or they are very long.
func (l *layout) named() (names []string) {
	if !l.header {
		return nil
	}
	seen, bytes := map[string]bool{}, 0
	for _, k := range l.spins {
		name := l.name(k)
		if bytes += len(name) + 4; seen[name] || bytes > mostNames || !utf8.ValidString(name) {
			return nil
		}
		seen[name] = true
		names = append(names, name)
	}
	return names
}

// suspect adds the columns to the problem of a value that is no spin, if such values
// stand in a few columns alone.
func (l *layout) suspect(problem, remedy string) (string, string) {
	strange := l.strange()
	if strange == nil || remedy != remedyThreshold {
		return problem, remedy
	}
	return problem + "; such values stand in " + few(strange) + " alone",
		"leave columns out with {DropColumns}, take one for labels with {LabelColumn}, mend the value, or state a grey level with {Threshold}"
}

// alike says that every spin of several samples is the same, where numbers were
// spins as they stood.
func (p *packer) alike(set *Set) string {
	switch {
	case set.Len() == 1 || p.real || p.threshold != nil || p.rng != nil || p.some && !p.all:
		return ""
	case p.all:
		return "every spin is +1: there is nothing to learn"
	}
	return "every spin is -1: there is nothing to learn"
}

func picturesAnd(n, side, more int) string {
	s := strconv.Itoa(side)
	return strconv.Itoa(n) + " numbers a sample are those of a picture of " + s + " x " + s + " and " + strconv.Itoa(more) + " more"
}

// oneHot reports whether the samples are a square picture and k numbers more, of
// which one is +1 in each sample and not always the same: labels of k classes,
// as the digits of Semeion have them. It says where they are.
func oneHot(set *Set) (k, side int, at string) {
	const mostClasses = 62
	n, samples := set.Visible(), set.Len()
	for k := 2; k <= min(mostClasses, n/2) && samples >= 2*k; k++ {
		side, ok := squareSide(n - k)
		if !ok {
			continue
		}
		for _, first := range []int{n - k, 0} {
			if set.oneOf(first, k) {
				at := "the last " + strconv.Itoa(k)
				if first == 0 {
					at = "the first " + strconv.Itoa(k)
				}
				return k, side, at
			}
		}
	}
	return 0, 0, ""
}

// oneOf reports whether one of k spins from the first is +1 in each sample, and
// not the same in all.
func (s *Set) oneOf(first, k int) bool {
	seen, count := make([]bool, k), 0
	for a := range s.Len() {
		hot := -1
		for i := range k {
			if s.Samples.At(first+i, a) < 0 {
				continue
			}
			if hot >= 0 {
				return false
			}
			hot = i
		}
		if hot < 0 {
			return false
		}
		if !seen[hot] {
			seen[hot] = true
			count++
		}
	}
	return count > 1
}

// strange returns the columns of spins that hold other numbers than 0, 1 and -1,
// if they are a quarter of all or less; else nil.
func (l *layout) strange() []string {
	var found []string
	for _, k := range l.spins {
		c := &l.columns[k]
		low, high, fraction := c.low, c.high, c.fraction
		if !l.header && l.first != nil {
			if v, ok := number(l.first[k]); ok {
				if c.numbers == 0 {
					low, high = v, v
				}
				low, high, fraction = min(low, v), max(high, v), fraction || v != math.Trunc(v)
			}
		}
		if low < -1 || high > 1 || fraction {
			found = append(found, l.title(k))
		}
	}
	if 4*len(found) > len(l.spins) {
		return nil
	}
	return found
}

// few joins the first few names of columns.
func few(names []string) string {
	const most = 4
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and " + strconv.Itoa(len(names)-most) + " more"
	}
	return strings.Join(names, ", ")
}
