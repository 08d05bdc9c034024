package script

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// sourceMap leads from places in the bundle back to the app's files.
type sourceMap struct {
	sources []string
	lines   [][]mapping // by line of the bundle, from 0
}

// mapping says that the text from column on comes from there. All numbers
// count from 0.
type mapping struct{ column, source, line, sourceColumn int }

// parseSourceMap reads version 3 of the format.
func parseSourceMap(text []byte) (*sourceMap, error) {
	var file struct {
		Sources  []string `json:"sources"`
		Mappings string   `json:"mappings"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("script: source map: %w", err)
	}
	m := &sourceMap{sources: file.Sources}
	var at mapping
	for line := range strings.SplitSeq(file.Mappings, ";") {
		at.column = 0
		var list []mapping
		for segment := range strings.SplitSeq(line, ",") {
			fields, err := decodeVLQ(segment)
			if err != nil {
				return nil, err
			}
			if len(fields) == 0 {
				continue
			}
			at.column += fields[0]
			if len(fields) >= 4 {
				at.source += fields[1]
				at.line += fields[2]
				at.sourceColumn += fields[3]
				list = append(list, at)
			}
		}
		m.lines = append(m.lines, list)
	}
	return m, nil
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// decodeVLQ reads numbers of five bits a digit, the lowest first; a sixth bit
// says that more follows, and the lowest of all is the sign.
func decodeVLQ(text string) ([]int, error) {
	var numbers []int
	value, shift := 0, 0
	for i := range len(text) {
		digit := strings.IndexByte(base64Digits, text[i])
		if digit < 0 || shift > 30 {
			return nil, fmt.Errorf("script: source map: malformed segment %q", text)
		}
		value |= (digit & 31) << shift
		if shift += 5; digit&32 != 0 {
			continue
		}
		if value&1 != 0 {
			numbers = append(numbers, -(value >> 1))
		} else {
			numbers = append(numbers, value>>1)
		}
		value, shift = 0, 0
	}
	return numbers, nil
}

// find returns the origin of a place in the bundle; both count from 1.
func (m *sourceMap) find(line, column int) (source string, l, c int, found bool) {
	if line < 1 || line > len(m.lines) {
		return "", 0, 0, false
	}
	list := m.lines[line-1]
	i := sort.Search(len(list), func(i int) bool { return list[i].column > column-1 }) - 1
	if i < 0 || list[i].source < 0 || list[i].source >= len(m.sources) {
		return "", 0, 0, false
	}
	return m.sources[list[i].source], list[i].line + 1, list[i].sourceColumn + 1, true
}

// bundlePlace is how the engine's stacks name places in the bundle.
var bundlePlace = regexp.MustCompile(regexp.QuoteMeta(appModule) + `:(\d+)(?::(\d+))?`)

// hiddenFrame are the frames of a stack that are not the app's: the prelude's
// and the engine's own.
var hiddenFrame = regexp.MustCompile(`^    at .*\((?:<eval>|<input>|native|ekko:ipc|ekko:internal)(?::\d+)*\)$|^    at (?:<eval>|<input>|native)(?::\d+)*$`)

// mapStack translates the places in a stack, or in any text that quotes one,
// and leaves the frames out that are not the app's.
func (b *bundle) mapStack(stack string) string {
	lines := strings.Split(stack, "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return hiddenFrame.MatchString(line) })
	stack = strings.Join(lines, "\n")
	if !strings.Contains(stack, appModule) {
		return stack
	}
	m := b.sourceMap()
	return bundlePlace.ReplaceAllStringFunc(stack, func(place string) string {
		parts := bundlePlace.FindStringSubmatch(place)
		line, _ := strconv.Atoi(parts[1])
		column, _ := strconv.Atoi(parts[2])
		source, l, c, found := m.find(line, column)
		if !found {
			return place
		}
		return fmt.Sprintf("%s:%d:%d", source, l, c)
	})
}
