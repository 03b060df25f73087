package org.tokentune.ops.internal.kernels;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which keys of a sequence its queries see: those whose place is within the query's range. Keys
 * come as selected ones, then frozen ones, each in ascending order of place as a rule; a padded key
 * has the place -1.
 *
 * <p>Keys in ascending order form a segment, in which a range of places is a range of keys. So a
 * tile of queries needs a few runs of keys, and each of its queries sees one interval of each run:
 * nothing is stored for a single pair of query and key.
 */
final class VisibleKeys {

  /**
   * Successive keys of one segment.
   *
   * @param first number of the first key
   * @param column of the first key in the tile
   */
  record Run(int first, int count, int column) {}

  /**
   * Successive queries and the keys that they need.
   *
   * @param first number of the first query
   * @param width number of keys
   * @param intervals for each query and run: the first visible column and the one after the last
   */
  record Tile(int first, int count, List<Run> runs, int width, int[] intervals) {

    /** Calls for the columns that a query does not see. */
    void forEachHidden(int query, Columns body) {
      for (int r = 0; r < runs.size(); r++) {
        int at = 2 * ((query - first) * runs.size() + r);
        Run run = runs.get(r);
        if (intervals[at] > run.column) {
          body.run(run.column, intervals[at]);
        }
        if (intervals[at + 1] < run.column + run.count) {
          body.run(intervals[at + 1], run.column + run.count);
        }
      }
    }
  }

  /** Takes columns {@code from} to below {@code to}. */
  interface Columns {
    void run(int from, int to);
  }

  private final int[] places;
  private final int selected;
  private final List<Run> segments = new ArrayList<>();

  /**
   * @param places by key
   * @param selected number of selected keys
   */
  VisibleKeys(int[] places, int selected) {
    this.places = places;
    this.selected = selected;
    int start = 0;
    for (int key = 1; key <= places.length; key++) {
      boolean ends = key == places.length || key == selected || places[key] <= places[key - 1];
      if (ends) {
        int unpadded = firstUnpadded(start, key);
        if (unpadded < key) {
          segments.add(new Run(unpadded, key - unpadded, 0));
        }
        start = key;
      }
    }
  }

  /** A padded key may precede an ascending segment. */
  private int firstUnpadded(int from, int to) {
    int first = from;
    while (first < to && places[first] < 0) {
      first++;
    }
    return first;
  }

  /**
   * Divides the queries into tiles. A query that sees no key sees all of them, as in {@code
   * MaskedSoftmax}.
   *
   * @param first lowest visible place of each query
   * @param last highest visible place of each query
   * @param rows most queries of a tile
   */
  List<Tile> tiles(int[] first, int[] last, int rows) {
    List<Tile> tiles = new ArrayList<>();
    for (int query = 0; query < first.length; ) {
      boolean blind = blind(first[query], last[query]);
      int end = query + 1;
      while (end < first.length && end - query < rows && blind(first[end], last[end]) == blind) {
        end++;
      }
      tiles.add(blind ? blindTile(query, end) : tile(query, end, first, last));
      query = end;
    }
    return tiles;
  }

  private boolean blind(int first, int last) {
    for (Run segment : segments) {
      if (lowest(segment, first) < lowest(segment, last + 1L)) {
        return false;
      }
    }
    return true;
  }

  private Tile tile(int from, int to, int[] first, int[] last) {
    int lowest = Arrays.stream(first, from, to).min().orElseThrow();
    long beyond = Arrays.stream(last, from, to).max().orElseThrow() + 1L;
    List<Run> runs = new ArrayList<>();
    int width = 0;
    for (Run segment : segments) {
      int start = lowest(segment, lowest);
      int count = lowest(segment, beyond) - start;
      if (count > 0) {
        runs.add(new Run(start, count, width));
        width += count;
      }
    }
    int[] intervals = new int[2 * (to - from) * runs.size()];
    int at = 0;
    for (int query = from; query < to; query++) {
      for (Run run : runs) {
        int start = lowest(run, first[query]);
        int end = Math.max(start, lowest(run, last[query] + 1L));
        intervals[at++] = run.column + start - run.first;
        intervals[at++] = run.column + end - run.first;
      }
    }
    return new Tile(from, to - from, runs, width, intervals);
  }

  private Tile blindTile(int from, int to) {
    List<Run> runs = new ArrayList<>();
    if (selected > 0) {
      runs.add(new Run(0, selected, 0));
    }
    if (selected < places.length) {
      runs.add(new Run(selected, places.length - selected, selected));
    }
    int[] intervals = new int[2 * (to - from) * runs.size()];
    for (int i = 0; i < intervals.length; i += 2) {
      Run run = runs.get(i / 2 % runs.size());
      intervals[i] = run.column;
      intervals[i + 1] = run.column + run.count;
    }
    return new Tile(from, to - from, runs, places.length, intervals);
  }

  /**
   * The first key of a run whose place is not below {@code place}; the key after the run if none.
   */
  private int lowest(Run run, long place) {
    int low = run.first;
    int high = run.first + run.count;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (places[middle] < place) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
