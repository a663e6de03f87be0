"""The paper's experiments: datasets, protocol, comparators, tables (section 4, Tables 1 to 6, Figure 4)."""
