"""One file, or one package, per connector; see `pipeline.crm.promise` for what each of them promises."""
