//go:build !linux

package place

// OverflowUID is no user's number: only Linux has user namespaces.
func OverflowUID() uint32 { return ^uint32(0) }

func inUserNamespace() bool { return false }
