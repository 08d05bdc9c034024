// Package disk keeps events on this machine, over crashes and power cuts.
package disk
