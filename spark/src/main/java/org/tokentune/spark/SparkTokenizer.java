package org.tokentune.spark;

import static org.tokentune.Arguments.required;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.OnLong;
import org.tokentune.datasets.RowTokenizer;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TextTokenizer.RowTokens;
import org.tokentune.datasets.TokenizerRecipe;
import org.tokentune.objectives.Objective;

/**
 * Tokenises rows on the executors: {@code model.tokenizeBy(SparkTokenizer.on(spark))}. They come
 * back in their order, so batches are those of one machine.
 */
public final class SparkTokenizer implements RowTokenizer {

  /** Fewest rows of a task: the first ones take as long as opening the tokenizer. */
  private static final int ROWS = 2_000;

  private final JavaSparkContext context;

  private SparkTokenizer(JavaSparkContext context) {
    this.context = context;
  }

  /** Tokenises on the executors of a session. */
  public static SparkTokenizer on(SparkSession spark) {
    required(spark, "spark");

    return new SparkTokenizer(JavaSparkContext.fromSparkContext(spark.sparkContext()));
  }

  /** Rows of a task. */
  private record Part(List<String> texts, List<String> pairs, List<List<String>> words)
      implements Serializable {

    static Part of(List<Example> rows) {
      Part part = new Part(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
      for (Example row : rows) {
        part.texts.add(row.text());
        part.pairs.add(row.pair());
        part.words.add(row.words());
      }
      return part;
    }

    Example row(int number) {
      return new Example(texts.get(number), pairs.get(number), null, words.get(number), null);
    }
  }

  /**
   * The tokens of a part.
   *
   * @param problem a sentence for the user; null: there is none
   */
  private record Done(List<RowTokens> rows, String problem) implements Serializable {}

  /** Tokenises a part on an executor. */
  private record Task(
      String version, Broadcast<TokenizerRecipe> tokenizer, String objective, OnLong onLong)
      implements Function<Part, Done> {

    @Override
    public Done call(Part part) {
      try {
        JarVersion.check(version);
        Objective task = ModelCopy.objective(objective);
        List<RowTokens> rows = new ArrayList<>();
        try (TextTokenizer opened = tokenizer.value().open()) {
          for (int i = 0; i < part.texts.size(); i++) {
            rows.add(opened.encode(part.row(i), task, onLong));
          }
        }
        return new Done(rows, null);
      } catch (BadInputException e) {
        return new Done(List.of(), e.getMessage());
      }
    }
  }

  @Override
  public List<RowTokens> encode(
      TokenizerRecipe tokenizer, List<Example> rows, Objective task, OnLong onLong) {
    required(tokenizer, "tokenizer");
    required(rows, "rows");
    required(task, "task");
    required(onLong, "onLong");

    int parts = Math.max(1, Math.min(context.defaultParallelism(), rows.size() / ROWS));
    List<Part> all = new ArrayList<>();
    for (int part = 0; part < parts; part++) {
      all.add(Part.of(rows.subList(first(part, parts, rows), first(part + 1, parts, rows))));
    }
    Broadcast<TokenizerRecipe> sent = context.broadcast(tokenizer);
    try {
      List<RowTokens> tokens = new ArrayList<>();
      Task body = new Task(JarVersion.own(), sent, task.toString(), onLong);
      for (Done done : context.parallelize(all, parts).map(body).collect()) {
        if (done.problem() != null) {
          throw new BadDataException("%s", done.problem());
        }
        tokens.addAll(done.rows());
      }
      return tokens;
    } finally {
      sent.destroy();
    }
  }

  private static int first(int part, int parts, List<Example> rows) {
    return (int) ((long) part * rows.size() / parts);
  }
}
