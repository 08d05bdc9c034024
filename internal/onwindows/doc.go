// Package onwindows holds the tests of whole programs on Windows: the command
// line tool, an example service, and Node, each as a process of its own, all
// by way of named pipes. `make test-windows` runs them under Wine.
package onwindows
