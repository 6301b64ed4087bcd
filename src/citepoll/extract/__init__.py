"""From parsed answers to observations: whose page a citation is, where a brand is named, what an answer holds."""
