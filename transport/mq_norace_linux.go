//go:build !race

package transport

func mqSending() {}

func mqReceived() {}
