"""Questions about all instances of a model: asked of its workers, which mirror states in columns, and put together.

The service publishes `Asked` (msgpack) on query.MODEL with a reply subject. It names, for
each worker, the partitions that it shall answer for, so that a partition which is just
moving is counted once. A worker that is named answers with `Part`s (msgpack) of at most
900 KB; their data one after the other is an `Answer` (msgpack): the partitions that it
covers, and either why the question is refused or a body of the question's kind. A worker
that takes long, as when it makes columns first, sends a part of no parts now and then.

    Listing    Rows     ids and shown fields of the first instances in the order asked for, with what they were sorted by
    One        State    the state in JSON
    Aggregate  Groups   a column for each key, and for each part of a measure (sum and count of an average, say)
    Points     Places   ids and columns
    Schema     Known    fields
    Check      nothing  the condition could be asked

Where one worker only is asked, what it gives is final. Otherwise `merging` puts the
parts together, exactly: percentiles and distinct counts from the values themselves.
Partitions that nobody covered are named, never guessed.

`fields` which columns a state has · `column`, `columns` the mirror · `parsing`, `where`,
`terms` conditions · `over`, `listing`, `aggregating` calculations · `answers` the
worker's side · `questions` the wire · `merging` the asking side, which needs neither
numpy nor the model.
"""
