package github

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/sourcetree"
)

// Where GitHub is.
const (
	BaseURL = "https://api.github.com"
	GitURL  = "https://github.com"
)

const apiVersion = "2022-11-28"

// Client speaks with GitHub. It is safe for concurrent use.
type Client struct {
	api        *cloud.Client
	git, token string
	pushes     *http.Client
}

// New returns a client. Empty URLs are GitHub's own; it connects to nothing.
func New(baseURL, gitURL, token string, governor *cloud.Governor) *Client {
	if baseURL == "" {
		baseURL = BaseURL
	}
	if gitURL == "" {
		gitURL = GitURL
	}
	return &Client{
		api: cloud.New(cloud.Options{
			Platform: "GitHub", BaseURL: baseURL, Token: token, RequestIDHeader: "X-Github-Request-Id", Explain: explain, Governor: governor,
		}),
		git: strings.TrimSuffix(gitURL, "/"), token: token,
		// A pack of the largest tree takes its time.
		pushes: &http.Client{Timeout: 10 * time.Minute},
	}
}

// explain joins what GitHub says with the reasons that it lists below.
func explain(_ int, body []byte) (code, message string) {
	var known struct {
		Message string `json:"message"`
		Errors  []struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &known) != nil || known.Message == "" {
		return "", cloud.Quote(string(body))
	}
	message = known.Message
	for _, e := range known.Errors {
		code = e.Code
		message += " " + e.Message
	}
	return code, cloud.Quote(message)
}

// writes are spaced as GitHub asks for.
var writes = cloud.Limit{Key: "write", Every: time.Second, Burst: 2}

func (c *Client) do(ctx context.Context, method, path string, body, out any) error {
	r := cloud.Request{Method: method, Path: path, Body: body, Header: http.Header{
		"Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {apiVersion},
	}}
	if method != http.MethodGet {
		r.Limit = writes
	}
	_, err := c.api.Do(ctx, r, out)
	return err
}

// Login is the user that the token belongs to.
func (c *Client) Login(ctx context.Context) (string, error) {
	var out struct {
		Login string `json:"login"`
	}
	err := c.do(ctx, http.MethodGet, "/user", nil, &out)
	return out.Login, err
}

// Repository is a repository as GitHub tells of it.
type Repository struct {
	ID          int64  `json:"id"`
	FullName    string `json:"full_name"`
	Description string `json:"description"`
	Private     bool   `json:"private"`
	Archived    bool   `json:"archived"`
}

// Repository reads owner/name; nil when there is none, or none that the token can see.
func (c *Client) Repository(ctx context.Context, fullName string) (*Repository, error) {
	var out Repository
	err := c.do(ctx, http.MethodGet, "/repos/"+fullName, nil, &out)
	if cloud.IsStatus(err, http.StatusNotFound) {
		return nil, nil //nolint:nilnil // a lookup that finds nothing is no failure, and a flag would say the same twice
	}
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// Repositories lists all repositories of the user and of the organizations that the token sees.
func (c *Client) Repositories(ctx context.Context) ([]Repository, error) {
	const perPage = 100
	var all []Repository
	for page := 1; ; page++ {
		var some []Repository
		query := url.Values{"affiliation": {"owner,organization_member"}, "per_page": {strconv.Itoa(perPage)}, "page": {strconv.Itoa(page)}}
		if err := c.do(ctx, http.MethodGet, "/user/repos?"+query.Encode(), nil, &some); err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < perPage {
			return all, nil
		}
	}
}

// CreateRepository creates an empty repository of the user, or of the organization when owner is not login.
func (c *Client) CreateRepository(ctx context.Context, login, owner, name, description string, private bool) (Repository, error) {
	path := "/orgs/" + url.PathEscape(owner) + "/repos"
	if strings.EqualFold(owner, login) {
		path = "/user/repos"
	}
	var out Repository
	err := c.do(ctx, http.MethodPost, path, map[string]any{"name": name, "description": description, "private": private}, &out)
	return out, err
}

// DeleteRepository deletes owner/name. One that is gone already is no error.
func (c *Client) DeleteRepository(ctx context.Context, fullName string) error {
	err := c.do(ctx, http.MethodDelete, "/repos/"+fullName, nil, nil)
	if cloud.IsStatus(err, http.StatusNotFound) {
		return nil
	}
	return err
}

// CommitInfo is a commit as GitHub tells of it.
type CommitInfo struct {
	SHA  string `json:"sha"`
	Tree struct {
		SHA string `json:"sha"`
	} `json:"tree"`
	Committer struct {
		Name  string `json:"name"`
		Email string `json:"email"`
	} `json:"committer"`
}

// Own reports whether orch made the commit.
func (c CommitInfo) Own() bool {
	return c.Committer.Name == CommitterName && c.Committer.Email == CommitterEmail
}

// Commit reads a commit.
func (c *Client) Commit(ctx context.Context, fullName, sha string) (CommitInfo, error) {
	var out CommitInfo
	err := c.do(ctx, http.MethodGet, "/repos/"+fullName+"/git/commits/"+sha, nil, &out)
	return out, err
}

// URL is where a repository is cloned from.
func (c *Client) URL(fullName string) string { return c.git + "/" + fullName }

// Push makes the branch's content that of tree and returns the commit that it is on then. A branch that has it already is
// left as it is. Commits of somebody else are only built upon when adopt is set, and never lost: nothing is forced. Errors
// are a *contract.StepFailure or a *cloud.Error.
func (c *Client) Push(ctx context.Context, fullName, branch string, tree sourcetree.Tree, message string, adopt bool) (commit string, pushed bool, err error) {
	r, err := open(ctx, c.pushes, c.URL(fullName)+".git", c.token)
	if err != nil {
		return "", false, err
	}
	objects := tree.Objects()
	want := objects[len(objects)-1].ID()
	head := r.head(branch)
	if head != "" {
		found, err := c.Commit(ctx, fullName, head)
		switch {
		case err != nil:
			return "", false, err
		case found.Tree.SHA == want:
			return head, false, nil
		case !found.Own() && !adopt:
			failure := contract.Fail(contract.NotOwned, "the branch %s of %s ends in a commit by %s <%s>, which a push of orch would take out of the application",
				branch, fullName, found.Committer.Name, found.Committer.Email)
			failure.Hint = "take that commit over into the source, name another branch, or set adopt_existing = true to commit on top of it"
			return "", false, failure
		}
	}
	next := Commit(want, head, message)
	return next.ID(), true, r.update(ctx, branch, head, next.ID(), append(objects, next))
}
