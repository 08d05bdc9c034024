package place

import (
	"os"
	"strconv"
	"strings"
	"sync"
)

// OverflowUID is the number that the kernel gives for every user that this
// user namespace has no number for: it names nobody.
var OverflowUID = sync.OnceValue(func() uint32 {
	text, err := os.ReadFile("/proc/sys/kernel/overflowuid")
	if err != nil {
		return 65534
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
	if err != nil {
		return 65534
	}
	return uint32(n)
})

// inUserNamespace reports whether some users of the machine have no number
// here.
var inUserNamespace = sync.OnceValue(func() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(text)), " ") != "0 0 4294967295"
})
