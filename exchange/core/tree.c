#include "exchange/core/tree.h"

#define GOODNESS_LEFTMOST INT32_MIN
/* Neighbours with no more entries than this together become one node. */
#define NODES_AS_ONE (2 * NODE_CAPACITY / 3)
/* A node with fewer is merged with a neighbour or filled up from it, a root excepted; where a node is
 * cut each part has as many. */
#define NODE_LEAST 8
static_assert(2 * NODE_LEAST <= NODES_AS_ONE + 1 && NODES_AS_ONE < NODE_CAPACITY,
              "two nodes that are not made one have enough for two");

static struct node *node_at(const struct engine *e, uint32_t index)
{
    return (struct node *)(void *)(e->nodes + (size_t)index * NODE_UNIT);
}

/* By address, because a node is larger than its declaration: its capacity says how much. */
static int32_t *keys_of(struct node *n)
{
    return (int32_t *)(void *)((unsigned char *)n + offsetof(struct node, entries));
}

/* Children of an inner node, order slots of a leaf. */
static uint32_t *items_of(struct node *n)
{
    return (uint32_t *)(void *)(keys_of(n) + n->capacity);
}

static uint8_t capacity_of_units(uint32_t units)
{
    return (uint8_t)((units * NODE_UNIT - 16) / 8);
}

/* --- node memory ------------------------------------------------------------------------- */

/* Levels of a root leaf of so many units, at least: with fewer tree_remove() moves it. One of the
 * largest size may be what is left of two that were merged. */
static const uint32_t levels_least[NODE_UNITS + 1] = {0, 1, 1, 2, 6, 10, 14, 18, NODE_LEAST};

/* Each size of node has memory of its own, for as many as there can ever be: a node is always found, and
 * the table of orders alone decides what stands. The reason is that every level of a tree has an order,
 * so that `orders` is a bound for the levels of all trees together. Of them,
 *  - a root leaf has at least levels_least[] of its size;
 *  - every node below a root has at least NODE_LEAST = 8 entries. So there is at most one such leaf for
 *    8 levels, one node above it for 8 leaves, and so on: one for 7 levels in all, of the largest size;
 *  - an inner root, of 2, 4, 6 or 8 units, has two such leaves at least, so 16 levels.
 * Of each size but the largest a tree has its root alone, and none needs more levels for an inner root
 * than for a root leaf, so there is at most one for levels_least[] levels; of the largest one for 7 and
 * one for 16 make less than one for 4. Nothing exceeds that for a moment either: a node that moves into
 * another size has levels enough for both, and what is cut has enough for its parts. */
uint32_t tree_units(uint32_t orders, uint32_t start[NODE_UNITS + 2])
{
    uint32_t next = 2; /* 0 is no node; every size begins at a cache line */
    start[0] = 0;
    for (uint32_t units = 1; units <= NODE_UNITS; units++) {
        uint32_t nodes = orders / (units == NODE_UNITS ? 4 : levels_least[units]);
        start[units] = next;
        next += (nodes * units + 1) / 2 * 2;
    }
    start[NODE_UNITS + 1] = next;
    return next;
}

static uint32_t node_take(struct engine *e, uint32_t units)
{
    uint32_t index = e->s.node_free[units];
    if (index != 0) {
        e->s.node_free[units] = node_at(e, index)->next_free;
        return index;
    }
    index = e->node_start[units] + e->s.node_used[units] * units;
    CHECK(index + units <= e->node_start[units + 1]);
    e->s.node_used[units]++;
    return index;
}

static uint32_t node_new(struct engine *e, uint32_t units, uint32_t book, uint8_t height)
{
    uint32_t index = node_take(e, units);
    struct node *n = node_at(e, index);
    n->book = book;
    n->parent = 0;
    n->count = 0;
    n->capacity = capacity_of_units(units);
    n->units = (uint8_t)units;
    n->height = height;
    n->next_free = 0;
    /* Searches run over the whole capacity: an unused key is above all, an unused item is none. */
    for (uint32_t i = 0; i < n->capacity; i++) {
        keys_of(n)[i] = INT32_MAX;
        items_of(n)[i] = 0;
    }
    e->s.node_units_live += units;
    return index;
}

static void node_release(struct engine *e, uint32_t index)
{
    struct node *n = node_at(e, index);
    uint32_t units = n->units;
    n->count = 0;
    n->next_free = e->s.node_free[units];
    e->s.node_free[units] = index;
    e->s.node_units_live -= units;
}

/* --- entries ----------------------------------------------------------------------------- */

/* Children learn their new parent; orders know nothing of leaves. */
static void adopt(struct engine *e, uint32_t index, uint32_t from, uint32_t count)
{
    struct node *n = node_at(e, index);
    const uint32_t *items = items_of(n);
    for (uint32_t i = from; n->height > 0 && i < from + count; i++) {
        node_at(e, items[i])->parent = index;
    }
}

/* Place of an item that is there. Unused places hold 0, which is no item, so that the whole capacity
 * can be compared without a branch. */
static uint32_t position_of(struct node *n, uint32_t item)
{
    const uint32_t *items = items_of(n);
    uint32_t at = 0;
    if (n->capacity == NODE_CAPACITY) {
        for (uint32_t i = 0; i < NODE_CAPACITY; i++) {
            at += items[i] == item ? i : 0;
        }
    } else {
        for (uint32_t i = 0; i < n->capacity; i++) {
            at += items[i] == item ? i : 0;
        }
    }
    CHECK(at < n->count && items[at] == item);
    return at;
}

/* Number of keys below g; unused keys are never below. */
static uint32_t count_below(struct node *n, int32_t g)
{
    const int32_t *keys = keys_of(n);
    uint32_t below = 0;
    if (n->capacity == NODE_CAPACITY) {
        for (uint32_t i = 0; i < NODE_CAPACITY; i++) {
            below += keys[i] < g;
        }
        return below;
    }
    for (uint32_t i = 0; i < n->capacity; i++) {
        below += keys[i] < g;
    }
    return below;
}

static void entry_insert(struct node *n, uint32_t at, int32_t key, uint32_t item)
{
    int32_t *keys = keys_of(n) + at;
    uint32_t *items = items_of(n) + at;
    uint32_t behind = n->count - at;
    memmove(keys + 1, keys, behind * sizeof(keys[0]));
    memmove(items + 1, items, behind * sizeof(items[0]));
    *keys = key;
    *items = item;
    n->count++;
}

static void entry_remove(struct node *n, uint32_t at)
{
    int32_t *keys = keys_of(n) + at;
    uint32_t *items = items_of(n) + at;
    uint32_t behind = n->count - at - 1u;
    memmove(keys, keys + 1, behind * sizeof(keys[0]));
    memmove(items, items + 1, behind * sizeof(items[0]));
    n->count--;
    keys_of(n)[n->count] = INT32_MAX;
    items_of(n)[n->count] = 0;
}

/* Moves the entries from `first` on to the back of another node. */
static void entries_append(struct engine *e, uint32_t to, uint32_t from, uint32_t first)
{
    struct node *target = node_at(e, to);
    struct node *source = node_at(e, from);
    uint32_t moved = source->count - first;
    memcpy(keys_of(target) + target->count, keys_of(source) + first, moved * sizeof(int32_t));
    memcpy(items_of(target) + target->count, items_of(source) + first, moved * sizeof(uint32_t));
    for (uint32_t i = first; i < source->count; i++) {
        keys_of(source)[i] = INT32_MAX;
        items_of(source)[i] = 0;
    }
    uint32_t old = target->count;
    target->count = (uint8_t)(target->count + moved);
    source->count = (uint8_t)first;
    adopt(e, to, old, moved);
}

/* Moves the first `moved` entries to the back of the node before. */
static void entries_move_left(struct engine *e, uint32_t left, uint32_t right, uint32_t moved)
{
    struct node *target = node_at(e, left);
    struct node *source = node_at(e, right);
    uint32_t old = target->count;
    uint32_t kept = source->count - moved;
    memcpy(keys_of(target) + old, keys_of(source), moved * sizeof(int32_t));
    memcpy(items_of(target) + old, items_of(source), moved * sizeof(uint32_t));
    memmove(keys_of(source), keys_of(source) + moved, kept * sizeof(int32_t));
    memmove(items_of(source), items_of(source) + moved, kept * sizeof(uint32_t));
    for (uint32_t i = kept; i < source->count; i++) {
        keys_of(source)[i] = INT32_MAX;
        items_of(source)[i] = 0;
    }
    target->count = (uint8_t)(old + moved);
    source->count = (uint8_t)kept;
    adopt(e, left, old, moved);
}

/* Moves the last `moved` entries to the front of the node behind. */
static void entries_move_right(struct engine *e, uint32_t left, uint32_t right, uint32_t moved)
{
    struct node *target = node_at(e, right);
    struct node *source = node_at(e, left);
    uint32_t kept = source->count - moved;
    memmove(keys_of(target) + moved, keys_of(target), target->count * sizeof(int32_t));
    memmove(items_of(target) + moved, items_of(target), target->count * sizeof(uint32_t));
    memcpy(keys_of(target), keys_of(source) + kept, moved * sizeof(int32_t));
    memcpy(items_of(target), items_of(source) + kept, moved * sizeof(uint32_t));
    for (uint32_t i = kept; i < source->count; i++) {
        keys_of(source)[i] = INT32_MAX;
        items_of(source)[i] = 0;
    }
    target->count = (uint8_t)(target->count + moved);
    source->count = (uint8_t)kept;
    adopt(e, right, 0, moved);
}

static uint32_t *root_of(struct engine *e, uint32_t book)
{
    return &e->ladders[book / BOOKS].root[book % BOOKS];
}

/* Moves a root into a node of another size; only roots are smaller than the largest. */
static uint32_t resize(struct engine *e, uint32_t index, uint32_t units)
{
    struct node *n = node_at(e, index);
    CHECK(n->parent == 0 && n->count <= capacity_of_units(units));
    uint32_t moved = node_new(e, units, n->book, n->height);
    entries_append(e, moved, index, 0);
    *root_of(e, n->book) = moved;
    node_release(e, index);
    return moved;
}

/* --- insert ------------------------------------------------------------------------------ */

/* Where a full node is cut whose last insertion was at `at`. Prices that come in order always grow
 * one end: there the other side is left as full as can be, as nobody will come back to fill it up. */
static uint32_t cut_of(const struct node *n, uint32_t at)
{
    if (at + 1u == n->count) {
        return n->count - NODE_LEAST;
    }
    return at == 0 ? NODE_LEAST : n->count / 2u;
}

/* Cuts a full node in two, and its parent when that is full by it. `at`: the last insertion. */
static void split(struct engine *e, uint32_t index, uint32_t at)
{
    for (;;) {
        struct node *n = node_at(e, index);
        uint32_t right = node_new(e, NODE_UNITS, n->book, n->height);
        uint32_t cut = cut_of(n, at);
        int32_t separator = keys_of(n)[cut];
        entries_append(e, right, index, cut);
        if (n->height > 0) {
            keys_of(node_at(e, right))[0] = GOODNESS_LEFTMOST;
        }
        if (n->parent == 0) {
            uint32_t root = node_new(e, 2, n->book, (uint8_t)(n->height + 1));
            entry_insert(node_at(e, root), 0, GOODNESS_LEFTMOST, index);
            n->parent = root;
            *root_of(e, n->book) = root;
        }
        uint32_t parent_index = n->parent;
        struct node *parent = node_at(e, parent_index);
        node_at(e, right)->parent = parent_index;
        at = position_of(parent, index) + 1;
        entry_insert(parent, at, separator, right);
        /* A parent is kept below full, so that a child's split always finds room. */
        if (parent->count < parent->capacity) {
            return;
        }
        if (parent->capacity < NODE_CAPACITY) {
            resize(e, parent_index, parent->units + 2u);
            return;
        }
        index = parent_index;
    }
}

/* --- remove ------------------------------------------------------------------------------ */

/* Evens out two neighbours that have enough for two nodes. `place`: of the right one in the parent. */
static void even_out(struct engine *e, struct node *parent, uint32_t place)
{
    uint32_t left = items_of(parent)[place - 1];
    uint32_t right = items_of(parent)[place];
    struct node *right_node = node_at(e, right);
    uint32_t left_count = node_at(e, left)->count;
    uint32_t wanted = (left_count + right_node->count) / 2u;
    if (left_count < wanted) {
        entries_move_left(e, left, right, wanted - left_count);
    } else {
        entries_move_right(e, left, right, left_count - wanted);
    }
    keys_of(parent)[place] = keys_of(right_node)[0];
    if (right_node->height > 0) {
        keys_of(right_node)[0] = GOODNESS_LEFTMOST;
    }
}

/* A node below the root has too few entries: it gets some from a neighbour, or becomes one with it, and
 * then its parent may have too few. A root left with one child makes way for it. */
static void mend(struct engine *e, uint32_t index)
{
    for (;;) {
        uint32_t parent_index = node_at(e, index)->parent;
        struct node *parent = node_at(e, parent_index);
        uint32_t at = position_of(parent, index);
        uint32_t place = at + 1 < parent->count ? at + 1 : at;
        uint32_t left = items_of(parent)[place - 1];
        uint32_t right = items_of(parent)[place];
        struct node *right_node = node_at(e, right);
        if (right_node->height > 0) {
            keys_of(right_node)[0] = keys_of(parent)[place];
        }
        if (node_at(e, left)->count + right_node->count > NODES_AS_ONE) {
            even_out(e, parent, place);
            return;
        }
        entries_append(e, left, right, 0);
        entry_remove(parent, place);
        node_release(e, right);
        if (parent->parent == 0) {
            if (parent->count == 1) {
                node_at(e, left)->parent = 0;
                *root_of(e, parent->book) = left;
                node_release(e, parent_index);
            }
            return;
        }
        if (parent->count >= NODE_LEAST) {
            return;
        }
        index = parent_index;
    }
}

/* --- levels ------------------------------------------------------------------------------ */

/* Leaf where a level is or would be: the last child that begins at or below it. */
static uint32_t leaf_for(const struct engine *e, uint32_t book, int32_t g)
{
    uint32_t index = e->ladders[book / BOOKS].root[book % BOOKS];
    struct node *n = node_at(e, index);
    while (n->height > 0) {
        index = items_of(n)[count_below(n, g + 1) - 1]; /* prices end below INT32_MAX */
        n = node_at(e, index);
    }
    return index;
}

/* Leaf and place of a level that is there. */
static struct node *entry_of(const struct engine *e, uint32_t book, int32_t g, uint32_t *at)
{
    struct node *n = node_at(e, leaf_for(e, book, g));
    *at = count_below(n, g);
    CHECK(*at < n->count && keys_of(n)[*at] == g);
    return n;
}

uint32_t tree_enter(struct engine *e, uint32_t book, int32_t goodness, uint32_t slot)
{
    uint32_t *root = root_of(e, book);
    if (*root == 0) {
        *root = node_new(e, 1, book, 0);
    }
    uint32_t index = leaf_for(e, book, goodness);
    struct node *n = node_at(e, index);
    uint32_t at = count_below(n, goodness);
    if (at < n->count && keys_of(n)[at] == goodness) {
        return items_of(n)[at];
    }
    entry_insert(n, at, goodness, slot);
    if (n->count == n->capacity) {
        if (n->capacity < NODE_CAPACITY) {
            resize(e, index, n->units + 1u);
        } else {
            split(e, index, at);
        }
    }
    return 0;
}

void tree_set_head(struct engine *e, uint32_t book, int32_t goodness, uint32_t slot)
{
    uint32_t at;
    struct node *n = entry_of(e, book, goodness, &at);
    items_of(n)[at] = slot;
}

void tree_remove(struct engine *e, uint32_t book, int32_t goodness)
{
    uint32_t index = leaf_for(e, book, goodness);
    struct node *n = node_at(e, index);
    uint32_t at = count_below(n, goodness);
    CHECK(at < n->count && keys_of(n)[at] == goodness);
    entry_remove(n, at);
    if (n->parent != 0) {
        if (n->count < NODE_LEAST) {
            mend(e, index);
        }
    } else if (n->count == 0) {
        *root_of(e, book) = 0;
        node_release(e, index);
    } else if (n->count + 9u <= n->capacity) {
        resize(e, index, n->units - 2u);
    }
}

/* Leaf of the best levels; 0 none. */
static uint32_t best_leaf(const struct engine *e, uint32_t book)
{
    uint32_t index = e->ladders[book / BOOKS].root[book % BOOKS];
    struct node *n = node_at(e, index);
    while (index != 0 && n->height > 0) {
        index = items_of(n)[n->count - 1];
        n = node_at(e, index);
    }
    return index;
}

/* Whether a leaf needs no mending with so few levels. */
static bool leaf_suffices(const struct node *n, uint32_t count)
{
    return n->parent != 0 ? count >= NODE_LEAST : count != 0 && count + 9u > n->capacity;
}

uint32_t tree_remove_best(struct engine *e, uint32_t book, uint32_t levels, int32_t *goodness)
{
    for (;;) {
        uint32_t index = best_leaf(e, book);
        struct node *n = node_at(e, index);
        if (levels == 0 || index == 0) {
            *goodness = index == 0 ? 0 : keys_of(n)[n->count - 1];
            return index == 0 ? 0 : items_of(n)[n->count - 1];
        }
        if (levels < n->count && leaf_suffices(n, n->count - levels)) {
            n->count = (uint8_t)(n->count - levels);
            for (uint32_t i = n->count; i < n->count + levels; i++) {
                keys_of(n)[i] = INT32_MAX;
                items_of(n)[i] = 0;
            }
            *goodness = keys_of(n)[n->count - 1];
            return items_of(n)[n->count - 1];
        }
        tree_remove(e, book, keys_of(n)[n->count - 1]);
        levels--;
    }
}

void tree_set_best(struct engine *e, uint32_t book, uint32_t slot)
{
    struct node *n = node_at(e, best_leaf(e, book));
    items_of(n)[n->count - 1] = slot;
}

static uint32_t last_below(const struct engine *e, struct node *n)
{
    while (n->height > 0) {
        n = node_at(e, items_of(n)[n->count - 1]);
    }
    return items_of(n)[n->count - 1];
}

uint32_t tree_best(const struct engine *e, uint32_t book)
{
    uint32_t root = e->ladders[book / BOOKS].root[book % BOOKS];
    return root == 0 ? 0 : last_below(e, node_at(e, root));
}

uint32_t tree_worse(const struct engine *e, uint32_t book, int32_t goodness)
{
    uint32_t index = leaf_for(e, book, goodness);
    struct node *n = node_at(e, index);
    uint32_t at = count_below(n, goodness);
    CHECK(at < n->count && keys_of(n)[at] == goodness);
    while (at == 0) {
        if (n->parent == 0) {
            return 0;
        }
        struct node *parent = node_at(e, n->parent);
        at = position_of(parent, index);
        index = n->parent;
        n = parent;
    }
    uint32_t item = items_of(n)[at - 1];
    return n->height == 0 ? item : last_below(e, node_at(e, item));
}

/* Best level below a node. */
static void place_at(const struct engine *e, uint32_t index, struct tree_place *place)
{
    struct node *n = node_at(e, index);
    while (n->height > 0) {
        index = items_of(n)[n->count - 1];
        n = node_at(e, index);
    }
    *place = (struct tree_place){
        .goodness = keys_of(n), .heads = items_of(n), .at = n->count - 1u, .node = index};
}

bool tree_first(const struct engine *e, uint32_t book, struct tree_place *place)
{
    uint32_t root = e->ladders[book / BOOKS].root[book % BOOKS];
    if (root == 0) {
        return false;
    }
    place_at(e, root, place);
    return true;
}

bool tree_next_leaf(const struct engine *e, struct tree_place *place)
{
    uint32_t index = place->node;
    struct node *n = node_at(e, index);
    uint32_t at = 0;
    while (at == 0) {
        if (n->parent == 0) {
            return false;
        }
        struct node *parent = node_at(e, n->parent);
        at = position_of(parent, index);
        index = n->parent;
        n = parent;
    }
    place_at(e, items_of(n)[at - 1], place);
    return true;
}

void tree_sanity(const struct engine *e, uint32_t book, int32_t goodness, uint32_t slot)
{
    uint32_t at;
    uint32_t index = leaf_for(e, book, goodness);
    struct node *n = entry_of(e, book, goodness, &at);
    CHECK(items_of(n)[at] == slot);
    while (n->parent != 0) {
        struct node *parent = node_at(e, n->parent);
        uint32_t place = position_of(parent, index);
        CHECK(n->book == book && parent->height == n->height + 1);
        CHECK(n->units == NODE_UNITS && n->count >= NODE_LEAST && n->count < n->capacity);
        CHECK(keys_of(parent)[place] <= goodness);
        CHECK(place + 1u == parent->count || keys_of(parent)[place + 1] > goodness);
        index = n->parent;
        n = parent;
    }
    CHECK(n->book == book && index == e->ladders[book / BOOKS].root[book % BOOKS]);
    CHECK(n->count >= (n->height > 0 ? 2 : levels_least[n->units]) && n->count < n->capacity);
}
