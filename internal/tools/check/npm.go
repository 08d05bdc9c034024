package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// npmTests runs npm test in each npm package that has one, with the command
// line tool in the path.
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
	return nil
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

// nodeCount is a line of the summary that node --test prints, in either of its
// two forms.
var nodeCount = regexp.MustCompile(`(?m)^(?:ℹ|#) (pass|fail|skipped) (\d+)\r?$`)

// countNode adds up every summary in text, as npm test may run several.
func (r *runner) countNode(dir, text string, bad bool) {
	sum := make(map[string]int)
	for _, m := range nodeCount.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[2])
		sum[m[1]] += n
	}
	if bad && sum["fail"] == 0 {
		sum["fail"] = 1
	} else if !bad && sum["pass"] == 0 {
		sum["pass"] = 1
	}
	r.tally.addMany(dir, sum["pass"], passed)
	r.tally.addMany(dir, sum["fail"], failed)
	r.tally.addMany(dir, sum["skipped"], skipped)
}
