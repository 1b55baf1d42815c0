#include "exchange/core/tree.h"

#define GOODNESS_LEFTMOST INT32_MIN
/* A path of splits takes one large node a level and one for a new root; 30^6 orders and more do not
 * fit the order table, so seven levels are ample. */
#define ENTER_NODES 8

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

/* A free block at least as large; what is left of it becomes a free block of its own. */
static uint32_t node_take(struct engine *e, uint32_t units)
{
    for (uint32_t size = units; size <= NODE_UNITS; size++) {
        /* An exact block, else fresh memory, else the remains of a larger one. */
        if (size == units + 1 && e->s.node_top + units <= e->node_units) {
            break;
        }
        uint32_t index = e->s.node_free[size];
        if (index == 0) {
            continue;
        }
        e->s.node_free[size] = node_at(e, index)->next_free;
        if (size > units) {
            uint32_t rest = index + units;
            node_at(e, rest)->next_free = e->s.node_free[size - units];
            e->s.node_free[size - units] = rest;
        }
        return index;
    }
    uint32_t index = e->s.node_top;
    CHECK(index + units <= e->node_units);
    e->s.node_top += units;
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

/* Whether so many nodes of any size are sure to be found: fresh, or large ones that came back. */
static bool nodes_left(const struct engine *e, uint32_t nodes)
{
    if (e->s.node_top + nodes * NODE_UNITS <= e->node_units) {
        return true;
    }
    for (uint32_t index = e->s.node_free[NODE_UNITS]; index != 0 && nodes > 0; nodes--) {
        index = node_at(e, index)->next_free;
    }
    return nodes == 0;
}

bool tree_has_room(const struct engine *e)
{
    /* Removals of the same command may make leaves smaller first. */
    return nodes_left(e, 2 * ENTER_NODES);
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

/* Moves `count` entries from the front or the back of one node to the back of another. */
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
 * one end: there the other side stays full, as nobody will come back to fill up half a node. */
static uint32_t cut_of(const struct node *n, uint32_t at)
{
    if (at + 1u == n->count) {
        return n->count - 1u;
    }
    return at == 0 ? 1 : n->count / 2u;
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

/* Takes a child out of its parent; a parent left empty goes too, a root left with one child makes
 * way for it. */
static void unlink_node(struct engine *e, uint32_t index)
{
    for (;;) {
        struct node *n = node_at(e, index);
        uint32_t book = n->book;
        uint32_t parent_index = n->parent;
        if (parent_index == 0) {
            *root_of(e, book) = 0;
            node_release(e, index);
            return;
        }
        struct node *parent = node_at(e, parent_index);
        uint32_t at = position_of(parent, index);
        entry_remove(parent, at);
        if (at == 0 && parent->count > 0) {
            keys_of(parent)[0] = GOODNESS_LEFTMOST;
        }
        node_release(e, index);
        if (parent->count > 0) {
            return;
        }
        index = parent_index;
    }
}

static void collapse_root(struct engine *e, uint32_t book)
{
    uint32_t *root = root_of(e, book);
    while (*root != 0) {
        struct node *n = node_at(e, *root);
        if (n->height == 0 || n->count > 1) {
            return;
        }
        uint32_t child = items_of(n)[0];
        node_at(e, child)->parent = 0;
        node_release(e, *root);
        *root = child;
    }
}

/* Merges a sparse node with a neighbour under the same parent where both fit well into one, level by
 * level: without it a book that was deep once would keep a large node for every order left. */
static void merge_sparse(struct engine *e, uint32_t index)
{
    while (node_at(e, index)->parent != 0) {
        struct node *n = node_at(e, index);
        uint32_t parent_index = n->parent;
        struct node *parent = node_at(e, parent_index);
        uint32_t at = position_of(parent, index);
        uint32_t right = at + 1 < parent->count ? at + 1 : at;
        if (right == 0) {
            return;
        }
        uint32_t left_index = items_of(parent)[right - 1];
        uint32_t right_index = items_of(parent)[right];
        struct node *left_node = node_at(e, left_index);
        struct node *right_node = node_at(e, right_index);
        if (left_node->count + right_node->count > 2 * NODE_CAPACITY / 3) {
            return;
        }
        if (right_node->height > 0) {
            keys_of(right_node)[0] = keys_of(parent)[right];
        }
        if (left_node->capacity < NODE_CAPACITY) {
            CHECK(false); /* only a root is smaller than the largest node */
        }
        entries_append(e, left_index, right_index, 0);
        unlink_node(e, right_index);
        if (node_at(e, parent_index)->count >= NODE_CAPACITY / 4) {
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
    if (n->count == 0) {
        unlink_node(e, index);
        collapse_root(e, book);
    } else if (n->parent == 0) {
        /* A leaf that finds no smaller node stays as it is. */
        if (n->count + 9u <= n->capacity && nodes_left(e, ENTER_NODES + 1)) {
            resize(e, index, n->units - 2u);
        }
    } else if (n->count < NODE_CAPACITY / 4) {
        merge_sparse(e, index);
        collapse_root(e, book);
    }
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
    CHECK(n->count < n->capacity);
    while (n->parent != 0) {
        struct node *parent = node_at(e, n->parent);
        uint32_t place = position_of(parent, index);
        CHECK(n->book == book && parent->height == n->height + 1 && parent->count > 0);
        CHECK(keys_of(parent)[place] <= goodness);
        CHECK(place + 1u == parent->count || keys_of(parent)[place + 1] > goodness);
        index = n->parent;
        n = parent;
    }
    CHECK(n->book == book && index == e->ladders[book / BOOKS].root[book % BOOKS]);
}
