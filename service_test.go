package ipc_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/ekkojs/ipc"
)

// TestWarningsOfTheManifest: a field that means nothing where it stands may
// have been meant to keep what is published. The operator is told, up to a
// number.
func TestWarningsOfTheManifest(t *testing.T) {
	said := &logged{}
	m := parse(t, `{"service": {"name": "shop", "version": "1.0.0"}, "events": {"tick": {"persistent": true, "a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1, "i": 1}}}`)
	serve(t, ipc.NewService(m, &ipc.ServiceOptions{Logger: slog.New(slog.NewTextHandler(said, nil))}))
	text := said.String()
	for _, want := range []string{`unknown field \"persistent\"`, "path=/events/tick/persistent", "line=1", "more=2"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %s:\n%s", want, text)
		}
	}
	if n := strings.Count(text, "unknown field"); n != 8 {
		t.Errorf("%d warnings are logged in full, want 8", n)
	}
}
