//go:build !linux

package main

import "time"

// monotonic is what every system has: it may jump.
func monotonic() int64 { return time.Now().UnixNano() }
