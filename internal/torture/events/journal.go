//go:build linux

package events

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/ekkojs/ipc/internal/torture/stage"
)

// journalEnd ends the names of journals.
const journalEnd = ".events"

// Journal is where one process writes down what happens to it.
type Journal struct{ file *os.File }

// OpenJournal makes the journal of a process in dir.
func OpenJournal(dir, process string) (*Journal, error) {
	f, err := os.OpenFile(filepath.Join(dir, process+journalEnd), os.O_APPEND|os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &Journal{f}, nil
}

// Write adds a record, whose time is now. A journal that cannot be written
// makes the whole run worthless, so it ends the process.
func (j *Journal) Write(e Event) {
	e.At = stage.Now()
	var buf [eventSize]byte
	if _, err := j.file.Write(e.append(buf[:0])); err != nil {
		panic("events: the journal cannot be written: " + err.Error())
	}
}

// ReadHistory brings together the journals in dir.
func ReadHistory(dir string) (*History, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"+journalEnd))
	if err != nil {
		return nil, err
	}
	h := &History{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for len(text) >= eventSize { // a record that a kill has torn is the last one
			var e Event
			e.read(text)
			text = text[eventSize:]
			h.Events = append(h.Events, e)
		}
	}
	if len(h.Events) == 0 {
		return nil, errors.Join(io.ErrUnexpectedEOF, errors.New("nobody has written anything down"))
	}
	h.Sort()
	return h, nil
}
