"""The paper's tables.

published    the published cases C1 to C11
paper_types  types A to R
cases        the published cases beside ours, and ablations
"""
