"""Exchange the rows of tables of a database: rows are staged beside them and take the place of the old ones in one
transaction. A table that exists is never dropped; one that is missing is created with its keys.
"""
