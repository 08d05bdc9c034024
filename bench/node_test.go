//go:build !solo

package main

import (
	"crypto/sha256"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// TestNodePayload: what the peers of Node echo is what the others do.
func TestNodePayload(t *testing.T) {
	const script = `
		import { createHash } from 'node:crypto';
		import { payloadOf } from './node/payload.js';
		for (const size of [100, 10240, 1048576]) {
			console.log(createHash('sha256').update(payloadOf(size)).digest('hex'));
		}`
	text, err := exec.Command("node", "--input-type=module", "-e", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	var want strings.Builder
	for _, size := range []int{100, 10 << 10, 1 << 20} {
		fmt.Fprintf(&want, "%x\n", sha256.Sum256(payloadOf(size)))
	}
	if string(text) != want.String() {
		t.Errorf("payloads have the sums\n%swant\n%s", text, &want)
	}
}
