package wire

import (
	"fmt"
	"strings"
)

// manyMembers returns n members with distinct names, without the braces.
func manyMembers(n int) string {
	var b strings.Builder
	for k := range n {
		if k > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"member%d":%d`, k, k)
	}
	return b.String()
}
