package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// examples builds every example and runs the test.sh of each, with the command
// line tool in the path and a runtime folder of its own. An example needs a
// test.sh or a Go test, or nobody would know that it still works.
func examples(ctx context.Context, r *runner) error {
	entries, err := os.ReadDir("examples")
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	env, err := toolInPath(ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() || skipDir(e.Name()) {
			continue
		}
		dir := filepath.Join("examples", e.Name())
		err := example(ctx, dir, env)
		if err != nil {
			r.tally.add(dir, "", failed)
			fmt.Fprintf(r.out, "%v\nFAIL %s\n", err, dir)
			continue
		}
		r.tally.add(dir, "", passed)
		fmt.Fprintf(r.out, "ok   %s\n", dir)
	}
	return nil
}

// patience is for a machine that does other things too.
const patience = 3 * time.Minute

func example(ctx context.Context, dir string, env []string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if sources, _ := filepath.Glob(filepath.Join(dir, "*.go")); len(sources) > 0 {
		if err := inRoot("go", "build", "-o", os.DevNull, "./"+dir+"/...").quiet(ctx); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "test.sh")); err == nil {
		return exampleScript(ctx, dir, env)
	}
	tests, _ := filepath.Glob(filepath.Join(dir, "*_test.go"))
	deeper, _ := filepath.Glob(filepath.Join(dir, "*", "*_test.go"))
	if len(tests)+len(deeper) == 0 {
		return fmt.Errorf("%s has neither a test.sh nor a Go test", dir)
	}
	return nil // the step test has run it
}

func exampleScript(ctx context.Context, dir string, env []string) error {
	run, err := os.MkdirTemp("", "ekko-ipc-example-") // 0700, and short enough for sockets
	if err != nil {
		return err
	}
	defer os.RemoveAll(run)
	return in(dir, "sh", "-eu", "test.sh").with(append(env, "EKKO_IPC_RUNTIME_DIR="+run)...).quiet(ctx)
}

// toolInPath builds the command line tool and returns the environment in which
// its name is enough to start it.
func toolInPath(ctx context.Context) ([]string, error) {
	dir, err := filepath.Abs(".build")
	if err != nil {
		return nil, err
	}
	if err := inRoot("go", "build", "-o", filepath.Join(dir, "ekko-ipc"), "./cmd/ekko-ipc").quiet(ctx); err != nil {
		return nil, err
	}
	return []string{"PATH=" + dir + string(os.PathListSeparator) + os.Getenv("PATH")}, nil
}
