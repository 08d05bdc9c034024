package script

import (
	"embed"
	"fmt"
)

// The prelude is what an app finds when it starts, written in JavaScript: the
// globals that the engine lacks, process and console, and the services. Each
// file is one function expression that takes the object they all share.
//
//go:embed prelude/*.js
var preludeFS embed.FS

// preludeFiles are the files every app needs, in the order they run. The
// others are read when the app first asks for what they hold: to compile them
// all would double the time an app takes to start.
var preludeFiles = []string{"core", "rejections", "timers", "process", "console", "globals", "errors", "services"}

// faceExports are the names that @ekkojs/ipc exports.
var faceExports = []string{"IpcError", "connect", "context", "serve"}

// preludeText returns a file of the prelude by its short name.
func preludeText(name string) (string, error) {
	text, err := preludeFS.ReadFile("prelude/" + name + ".js")
	if err != nil {
		return "", fmt.Errorf("script: no prelude %q", name)
	}
	return string(text), nil
}
