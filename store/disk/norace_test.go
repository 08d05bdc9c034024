//go:build !race

package disk

// fewer is by how much what is done at random is done less often.
const fewer = 1
