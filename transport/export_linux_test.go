package transport

// NoQuietForTest lets no more sockets be quiet until the returned function is
// called.
func NoQuietForTest() (again func()) {
	left := quietLeft().Swap(0)
	return func() { quietLeft().Add(left) }
}
