package store

// segmentLen is how many elements of a fifo are allocated together: few
// enough that a log of one event is small.
const segmentLen = 32

// fifo is a queue whose elements can be reached by their place. It grows
// without moving what it holds, so no append has to wait for that, and one
// that is as long as it will get allocates nothing.
type fifo[T any] struct {
	segments []*[segmentLen]T
	head     int // place of the oldest element in segments[0]
	length   int
	spare    *[segmentLen]T
}

// at returns the element that i others stand before.
func (f *fifo[T]) at(i int) *T {
	i += f.head
	return &f.segments[i/segmentLen][i%segmentLen]
}

// push adds room for one element, which is the zero value, and returns it.
func (f *fifo[T]) push() *T {
	if f.head+f.length == len(f.segments)*segmentLen {
		segment := f.spare
		if f.spare = nil; segment == nil {
			segment = new([segmentLen]T)
		}
		f.segments = append(f.segments, segment)
	}
	f.length++
	return f.at(f.length - 1)
}

// pop removes the oldest element. There must be one.
func (f *fifo[T]) pop() {
	var zero T
	f.segments[0][f.head] = zero // what it points to can be freed
	f.head++
	f.length--
	switch {
	case f.head == segmentLen:
		f.spare = f.segments[0]
		f.segments[0] = nil
		f.segments, f.head = f.segments[1:], 0
	case f.length == 0:
		f.head = 0
	}
}
