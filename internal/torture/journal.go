//go:build linux

package torture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ekkojs/ipc/internal/torture/stage"
)

// journalEnd is how the files of journals end; before it is the name of the
// process.
const journalEnd = ".journal"

// Journal is what one process writes down. Each record is one write, and is
// with the kernel when Write returns: it outlives a process that is killed.
// Its methods may be called at any time from any goroutine.
type Journal struct{ file *os.File }

// OpenJournal begins the journal of a process in dir. No two processes may
// share one, so that a record torn by a kill is the last thing in its file.
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
	line, err := json.Marshal(e)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	if err != nil {
		panic("torture: the journal cannot be written: " + err.Error())
	}
}

// Close ends the journal.
func (j *Journal) Close() error { return j.file.Close() }

// ReadHistory brings together the journals in dir. killed are the processes
// that were killed.
func ReadHistory(dir string, killed map[string]bool) (*History, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"+journalEnd))
	if err != nil {
		return nil, err
	}
	h := &History{Killed: killed}
	for _, file := range files {
		process := strings.TrimSuffix(filepath.Base(file), journalEnd)
		events, err := readJournal(file, process, killed[process])
		if err != nil {
			return nil, err
		}
		h.Events = append(h.Events, events...)
	}
	h.Sort()
	return h, nil
}

// readJournal reads one journal. A process that is killed may tear the record
// that it writes: then what it was about to do, it did not do.
func readJournal(file, process string, killed bool) ([]Event, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var events []Event
	for line := range bytes.Lines(text) {
		e := Event{Process: process}
		if err := json.Unmarshal(line, &e); err != nil {
			if killed {
				continue
			}
			return nil, fmt.Errorf("the journal of %s, which was not killed: %w in %q", process, err, line)
		}
		e.Process = process
		events = append(events, e)
	}
	return events, nil
}
