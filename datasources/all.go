package datasources

import "github.com/hashicorp/terraform-plugin-framework/datasource"

// All lists the constructor of every data source. There is none yet: what a service is and where it answers are
// attributes of its resource.
func All() []func() datasource.DataSource { return nil }
