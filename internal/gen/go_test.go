package gen

import (
	"os/exec"
	"strings"
	"testing"
)

// TestGoldenGoIsVetted compiles and vets the golden packages, as what users
// have would be: under this module they import the library itself.
func TestGoldenGoIsVetted(t *testing.T) {
	args := []string{"vet"}
	for _, name := range cases(t) {
		args = append(args, "./testdata/"+name)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

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
