package org.tokentune.datasets;

import java.util.List;

/** A data set's parts, without a row in common. */
public record DataSplit(List<Example> train, List<Example> validation, List<Example> test) {}
