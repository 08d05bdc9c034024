package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// npmTests runs npm test in each npm package that has one, with the command
// line tool in the path, and then tests in the other runtimes.
func npmTests(ctx context.Context, r *runner) error {
	for _, dir := range packageDirs() {
		if ok, err := hasTestScript(dir); err != nil {
			return err
		} else if !ok {
			continue
		}
		env, err := toolInPath(ctx)
		if err != nil {
			return err
		}
		text, err := in(dir, "npm", "test").with(env...).output(ctx)
		r.countNode(dir, text, err != nil)
		if err != nil {
			fmt.Fprintf(r.out, "%sFAIL %s: npm test: %v\n", ensureNewline(text), dir, err)
		} else {
			fmt.Fprintf(r.out, "ok   %s\n", dir)
		}
	}
	return r.testRuntimes(ctx)
}

func hasTestScript(dir string) (bool, error) {
	text, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return false, err
	}
	var p struct{ Scripts map[string]string }
	if err := json.Unmarshal(text, &p); err != nil {
		return false, fmt.Errorf("%s/package.json: %w", dir, err)
	}
	return p.Scripts["test"] != "", nil
}

// countNode adds up every summary in text, as npm test may run several.
func (r *runner) countNode(dir, text string, bad bool) {
	good, wrong, left := countTests(text)
	if bad && wrong == 0 {
		wrong = 1
	} else if !bad && good == 0 {
		good = 1
	}
	r.tally.addMany(dir, good, passed)
	r.tally.addMany(dir, wrong, failed)
	r.tally.addMany(dir, left, skipped)
}
