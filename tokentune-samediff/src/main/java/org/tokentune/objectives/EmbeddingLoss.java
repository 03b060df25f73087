package org.tokentune.objectives;

import static org.tokentune.Arguments.required;

import java.util.List;
import java.util.Locale;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.BadSettingsException;
import org.tokentune.ops.Cosines;
import org.tokentune.ops.Losses;

/**
 * A loss of vectors of texts, as sentence-transformers 6.2 defines it. The texts of a row are
 * columns in order: the anchor, its positive, and further columns of negatives.
 *
 * @param kind of loss
 * @param columns texts of a row, at least two
 * @param scale factor of cosines, the inverse of the temperature; of {@link Kind#RANKING} and
 *     {@link Kind#COSENT}
 * @param symmetric whether {@link Kind#RANKING} also compares every positive with all anchors
 * @param margin of {@link Kind#TRIPLET}
 * @param dimensions sizes to which vectors are cut, whose losses are added up (Matryoshka: Kusupati
 *     et al., 2022); if empty, the whole vectors only
 */
public record EmbeddingLoss(
    Kind kind,
    int columns,
    double scale,
    boolean symmetric,
    double margin,
    List<Integer> dimensions) {

  /** Texts of a row, at most. */
  private static final int MOST_COLUMNS = 64;

  /** PyTorch's {@code pairwise_distance} adds it to every difference. */
  private static final double DISTANCE_EPSILON = 1e-6;

  /** Far below any score. */
  private static final double LEAST = 1e9;

  /** Losses. */
  public enum Kind {
    /**
     * Multiple negatives ranking: the cross entropy of the positive among all positives and
     * negatives of the batch (van den Oord et al., 2018; Henderson et al., 2017).
     */
    RANKING,
    /** CoSENT: a pair of a higher score should have a higher cosine (Su, 2022). */
    COSENT,
    /** The mean squared difference of cosine and score. */
    COSINE,
    /** The positive should be nearer than the negative by a margin, in Euclidean distance. */
    TRIPLET;

    /** The name in lower case, as on the command line. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** Whether a row is a pair of texts with a score. */
    public boolean scored() {
      return this == COSENT || this == COSINE;
    }
  }

  public EmbeddingLoss {
    required(kind, "kind");
    required(dimensions, "dimensions");

    dimensions = List.copyOf(dimensions);
    if (columns < 2 || columns > MOST_COLUMNS) {
      throw BadSettingsException.of(
          "columns", "must be 2 to %d texts a row, got %d.", MOST_COLUMNS, columns);
    }
    if (kind.scored() && columns != 2) {
      throw BadSettingsException.of(
          "columns", "must be 2 texts with a score for %s, got %d.", kind, columns);
    }
    if (kind == Kind.TRIPLET && columns != 3) {
      throw BadSettingsException.of(
          "columns", "must be 3, anchor, positive and negative, for triplet, got %d.", columns);
    }
    if (!(scale > 0) || Double.isInfinite(scale)) {
      throw BadSettingsException.of("scale", "must be above 0 and finite, got %s.", scale);
    }
    if (!(margin >= 0) || Double.isInfinite(margin)) {
      throw BadSettingsException.of("margin", "must be at least 0 and finite, got %s.", margin);
    }
    if (symmetric && kind != Kind.RANKING) {
      throw BadSettingsException.of("symmetric", "is for ranking, not for %s.", kind);
    }
    for (int dimension : dimensions) {
      if (dimension < 1) {
        throw BadSettingsException.of("dimensions", "must be at least 1, got %d.", dimension);
      }
    }
    if (dimensions.stream().distinct().count() < dimensions.size()) {
      throw BadSettingsException.of("dimensions", "must differ, got %s.", dimensions);
    }
  }

  /** A loss with sentence-transformers' settings: scale 20, margin 5, whole vectors. */
  public static EmbeddingLoss of(Kind kind, int columns) {
    return new EmbeddingLoss(kind, columns, 20, false, 5, List.of());
  }

  /** Returns a copy with another factor of cosines. */
  public EmbeddingLoss withScale(double other) {
    return new EmbeddingLoss(kind, columns, other, symmetric, margin, dimensions);
  }

  /** Returns a copy that also compares every positive with all anchors. */
  public EmbeddingLoss withSymmetric(boolean both) {
    return new EmbeddingLoss(kind, columns, scale, both, margin, dimensions);
  }

  /** Returns a copy with another margin. */
  public EmbeddingLoss withMargin(double other) {
    return new EmbeddingLoss(kind, columns, scale, symmetric, other, dimensions);
  }

  /** Returns a copy that also trains vectors that are cut. */
  public EmbeddingLoss withDimensions(List<Integer> sizes) {
    return new EmbeddingLoss(kind, columns, scale, symmetric, margin, sizes);
  }

  /**
   * Checks the dimensions.
   *
   * @param width size of the model's vectors
   * @throws BadSettingsException if one is larger
   */
  public void check(int width) {
    for (int dimension : dimensions) {
      if (dimension > width) {
        throw BadSettingsException.of(
            "dimensions",
            "must be at most %d, the size of the model's vectors, got %d.",
            width,
            dimension);
      }
    }
  }

  /**
   * The loss, a scalar.
   *
   * @param vectors [columns * rows, width], column by column
   * @param width of the vectors
   * @param labels of the texts, [columns * rows, {@value EmbeddingLabel#SIZE}]
   */
  public SDVariable loss(SDVariable vectors, int width, SDVariable labels) {
    required(vectors, "vectors");
    required(labels, "labels");

    SDVariable anchors = columns(labels.reshape(columns, -1), 0, 1, EmbeddingLabel.SIZE);
    SDIndex score = SDIndex.interval(EmbeddingLabel.SCORE, EmbeddingLabel.SCORE + 1);
    SDVariable scores = anchors.get(SDIndex.all(), score).reshape(-1);
    SDVariable sum = null;
    for (int size : dimensions.isEmpty() ? List.of(width) : dimensions) {
      SDVariable cut =
          size == width
              ? vectors
              : vectors.get(SDIndex.all(), SDIndex.interval(0, size)).reshape(-1, size);
      SDVariable loss = ofSize(dimensions.isEmpty() ? cut : Cosines.normalized(cut), size, scores);
      sum = sum == null ? loss : sum.add(loss);
    }
    return sum;
  }

  private SDVariable ofSize(SDVariable vectors, int width, SDVariable scores) {
    SDVariable byColumn = vectors.reshape(columns, -1);
    SDVariable anchors = columns(byColumn, 0, 1, width);
    SDVariable positives = columns(byColumn, 1, 2, width);
    return switch (kind) {
      case RANKING -> ranking(anchors, positives, columns(byColumn, 1, columns, width));
      case COSENT -> cosent(Cosines.pairs(anchors, positives).mul(scale), scores);
      case COSINE -> Losses.meanSquaredError(Cosines.pairs(anchors, positives), scores);
      case TRIPLET -> {
        SDVariable negatives = columns(byColumn, 2, 3, width);
        SDVariable gap = distance(anchors, positives).sub(distance(anchors, negatives)).add(margin);
        yield vectors.getSameDiff().nn().relu(gap, 0).mean();
      }
    };
  }

  /** The vectors of some columns: [rows * (end - first), width]. */
  private static SDVariable columns(SDVariable byColumn, int first, int end, int width) {
    return byColumn.get(SDIndex.interval(first, end), SDIndex.all()).reshape(-1, width);
  }

  private SDVariable ranking(SDVariable anchors, SDVariable positives, SDVariable documents) {
    SameDiff sd = anchors.getSameDiff();
    SDVariable cosines = Cosines.matrix(anchors, documents);
    if (symmetric) {
      cosines = sd.concat(1, cosines, Cosines.matrix(positives, anchors));
    }
    SDVariable rows = numbers(cosines, 0).reshape(-1, 1);
    SDVariable marked = rows.eq(numbers(cosines, 1).reshape(1, -1)).castTo(cosines.dataType());
    return Losses.softmaxCrossEntropy(cosines.mul(scale), marked);
  }

  /** INT32: 0 to the size of an axis. */
  private static SDVariable numbers(SDVariable matrix, int axis) {
    SameDiff sd = matrix.getSameDiff();
    SDVariable size = sd.sizeAt(matrix, axis).castTo(DataType.INT32);
    return sd.range(sd.constant(0), size, sd.constant(1), DataType.INT32);
  }

  /**
   * {@code log(1 + sum exp(s_i - s_j))} over the pairs of rows of which i has the lower score.
   *
   * @param scaled cosines [rows]
   */
  private static SDVariable cosent(SDVariable scaled, SDVariable scores) {
    SameDiff sd = scaled.getSameDiff();
    SDVariable gaps = scaled.reshape(-1, 1).sub(scaled.reshape(1, -1));
    SDVariable lower = scores.reshape(-1, 1).lt(scores.reshape(1, -1)).castTo(scaled.dataType());
    SDVariable counted = gaps.sub(lower.rsub(1.0).mul(LEAST)).reshape(1, -1);
    SDVariable zero = sd.constant(0.0).castTo(scaled.dataType()).reshape(1, 1);
    return Losses.logSumExpOfRows(sd.concat(1, zero, counted)).sum();
  }

  /** [rows] */
  private static SDVariable distance(SDVariable one, SDVariable other) {
    SDVariable gap = one.sub(other).add(DISTANCE_EPSILON);
    return one.getSameDiff().math().sqrt(gap.mul(gap).sum(1));
  }
}
