// Package js holds the sources of the npm package, for those who write programs
// of them.
package js

import "embed"

// Sources are the files of the package and of the client for the EkkoJS
// runtime, by their paths below this folder.
//
//go:embed *.js ekkojs/*.js
var Sources embed.FS
