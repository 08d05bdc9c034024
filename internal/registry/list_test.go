//go:build unix

package registry

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestListAndProblems(t *testing.T) {
	w := newWorld(t)
	w.write("$WORK/db.ekko.ipc.json", manifestOf("db"))
	w.write("$WORK/aa.ekko.ipc.json", manifestOf("db"))
	w.write("$WORK/ipc/db.ekko.ipc.json", manifestOf("db"))
	w.write("$WORK/ipc/cache.ekko.ipc.json", manifestOf("cache"))
	w.write("$WORK/ipc/bad.ekko.ipc.json", "{\n}x")
	w.write("$WORK/ipc/far.ekko.ipc.json", `{"service":{"name":"far","version":"1.0.0","transport":{"type":"stdio"}}}`)
	w.write("$HOME/.ekko/ekko.ipc.config.json", `{"services":{"db":"unix:/other.sock","mapped":"unix:/run/m.sock","lost":"nowhere.json"}}`)
	w.write("$WORK/ipc/users.ekko.ipc.json", `{"service":{"name":"users","version":"1.0.0","transport":{"type":"auto","address":"users-socket"}}}`)
	w.serve("db")
	w.serve("running")
	w.serve("users-socket") // found as users, and not once more
	deadSocket(t, w.run+"/dead.sock")

	found, err := w.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, r := range found {
		fmt.Fprintf(&got, "%s %s %s %s\n", r.Name, r.Source, w.named(r.Path), w.named(r.Address))
		if same := w.mustResolve(r.Name); same.Path != r.Path || same.Address != r.Address || same.Source != r.Source {
			t.Errorf("Resolve finds %+v instead of %+v", same, r)
		}
	}
	want := `cache manifest $WORK/ipc/cache.ekko.ipc.json unix:$RUN/cache.sock
db manifest $WORK/db.ekko.ipc.json unix:$RUN/db.sock
mapped mapping $HOME/.ekko/ekko.ipc.config.json unix:/run/m.sock
running runtime $RUN/running.sock unix:$RUN/running.sock
users manifest $WORK/ipc/users.ekko.ipc.json unix:$RUN/users-socket.sock
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}

	problems, err := w.Problems(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, p := range problems {
		paths = append(paths, w.named(p.Path))
	}
	wantPaths := []string{
		"$WORK/aa.ekko.ipc.json", "$WORK/ipc/db.ekko.ipc.json", "$WORK/ipc/far.ekko.ipc.json", "$WORK/ipc/bad.ekko.ipc.json",
		"$HOME/.ekko/ekko.ipc.config.json",
	}
	if diff := cmp.Diff(wantPaths, paths); diff != "" {
		t.Errorf("%s\n%s", diff, w.placesText(problems))
	}
}

func TestListIsBounded(t *testing.T) {
	w := newWorld(t)
	for i := range maxManifests + 10 {
		w.write(fmt.Sprintf("$WORK/s%04d.ekko.ipc.json", i), manifestOf(fmt.Sprintf("s%04d", i)))
	}
	found, err := w.List(context.Background())
	if err != nil || len(found) != maxManifests {
		t.Errorf("%d services, %v", len(found), err)
	}
	problems, err := w.Problems(context.Background())
	if err != nil || len(problems) != 1 {
		t.Errorf("%v %v", problems, err)
	}
	// By its file's name each one is found all the same.
	w.mustResolve(fmt.Sprintf("s%04d", maxManifests+5))
}
