package manifest

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrUntrusted is what errors about a file or directory match (by errors.Is)
// that somebody else than its reader and root could have written.
var ErrUntrusted = errors.New("not trusted")

// Load is the function [Load] with these options.
//
// The file is opened once and everything is asked of the open file, so nobody
// can exchange it between the look and the reading. A symbolic link is
// followed, and what it leads to is judged. On Windows the owner and the mode
// are not looked at: there the directory's access control list decides.
func (o *Options) Load(path string) (*Manifest, error) {
	data, err := o.readFile(path)
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", path, err)
	}
	m, err := o.Parse(data)
	if err != nil {
		var se *SyntaxError
		if errors.As(err, &se) {
			se.File = path
		}
		return nil, err
	}
	m.Path = path
	return m, nil
}

func (o *Options) readFile(path string) ([]byte, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, bare(err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: it is %s, not a regular file", ErrUntrusted, fileKind(info.Mode()))
	}
	if err := trusted(info, path); err != nil {
		return nil, err
	}
	most := o.maxSize()
	if info.Size() > int64(most) {
		return nil, tooLarge(info.Size(), most)
	}
	// The file may grow while it is read.
	data, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err != nil {
		return nil, bare(err)
	}
	if len(data) > most {
		return nil, tooLarge(int64(len(data)), most)
	}
	return data, nil
}

func tooLarge(size int64, most int) error {
	return fmt.Errorf("the file has %d bytes, and a manifest may have %d", size, most)
}

// bare takes the path off an error that will be given it again.
func bare(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func fileKind(m os.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&os.ModeNamedPipe != 0:
		return "a pipe"
	case m&os.ModeSocket != 0:
		return "a socket"
	case m&os.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}
