//go:build !linux

package transport

// Only Linux has process descriptors and user namespaces.

func selfSource() pidfdSource { return nil }

func overflowUID() uint32 { return ^uint32(0) }

func inUserNamespace() bool { return false }
