//go:build race

package disk

// fewer is by how much what is done at random is done less often, for the
// race detector makes it ten times slower.
const fewer = 6
