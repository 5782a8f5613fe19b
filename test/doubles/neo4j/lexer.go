package neo4j

import (
	"fmt"
	"strings"
)

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenParameter
	tokenText
	tokenNumber
	tokenSign
)

// token is one word of a statement; from and to tell where it stands.
type token struct {
	kind     tokenKind
	text     string
	from, to int
}

// lex splits a statement; the last token is always tokenEnd.
func lex(query string) ([]token, error) {
	var out []token
	for at := 0; at < len(query); {
		c := query[at]
		next := token{from: at}
		switch {
		case strings.ContainsRune(" \t\r\n;", rune(c)):
			at++
			continue
		case isLetter(c):
			next.kind, next.to = tokenName, span(query, at, func(c byte) bool { return isLetter(c) || isDigit(c) })
			next.text = query[at:next.to]
		case isDigit(c) || (c == '-' && at+1 < len(query) && isDigit(query[at+1])):
			next.kind, next.to = tokenNumber, span(query, at+1, func(c byte) bool { return isDigit(c) || c == '.' })
			next.text = query[at:next.to]
		case c == '$':
			next.kind, next.to = tokenParameter, span(query, at+1, func(c byte) bool { return isLetter(c) || isDigit(c) })
			next.text = query[at+1 : next.to]
		case c == '`' || c == '\'' || c == '"':
			text, to, err := quoted(query, at)
			if err != nil {
				return nil, err
			}
			next.kind, next.text, next.to = tokenText, text, to
			if c == '`' {
				next.kind = tokenName
			}
		default:
			next.kind, next.text, next.to = tokenSign, string(c), at+1
		}
		out = append(out, next)
		at = next.to
	}
	return append(out, token{kind: tokenEnd, from: len(query), to: len(query)}), nil
}

func isLetter(c byte) bool { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

func span(query string, at int, belongs func(byte) bool) int {
	for at < len(query) && belongs(query[at]) {
		at++
	}
	return at
}

var escapes = strings.NewReplacer(`\\`, `\`, `\'`, `'`, `\"`, `"`, `\n`, "\n", `\t`, "\t")

func quoted(query string, from int) (text string, to int, err error) {
	for at := from + 1; at < len(query); at++ {
		switch query[at] {
		case '\\':
			at++
		case query[from]:
			return escapes.Replace(query[from+1 : at]), at + 1, nil
		}
	}
	return "", 0, fmt.Errorf("a quote is not closed: %s", query[from:])
}
