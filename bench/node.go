package main

import (
	"errors"
	"os"
	"path/filepath"
)

// The peers that run in Node: what node/peers has of the same names. Moleculer
// has one connection between two nodes, and its clients are nodes.
func init() {
	register(&peer{name: "grpc-js"})
	register(&peer{name: "node-ipc"})
	register(&peer{name: "moleculer", single: true})
}

// nodeChild finds the script that is a child in Node. The program runs in the
// root of the repository, its tests in their own folder.
func nodeChild() ([]string, error) {
	for _, dir := range []string{"node", filepath.Join("bench", "node")} {
		script := filepath.Join(dir, "child.js")
		if _, err := os.Stat(script); err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
			return nil, errors.New("the packages of " + dir + " are not installed: run npm ci --ignore-scripts there, or make bench")
		}
		return []string{"node", "--expose-gc", script}, nil
	}
	return nil, errors.New("there is no bench/node/child.js: run this in the root of the repository")
}
