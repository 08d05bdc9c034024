package transport

// peerPID: x/sys does not show where FreeBSD keeps it.
func peerPID(int) int { return 0 }
