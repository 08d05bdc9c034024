package gen

import (
	"strings"
	"testing"
)

func TestPackageNames(t *testing.T) {
	m := load(t, "bare")
	for _, name := range []string{"", "_", "func", "a-b", "a b", "1a", "a;b"} {
		if _, err := Go(m, name); err == nil || !strings.Contains(err.Error(), "package name") {
			t.Errorf("Go for package %q: %v", name, err)
		}
		if _, err := GoSkeleton(m, name); err == nil {
			t.Errorf("a skeleton for package %q", name)
		}
	}
}
