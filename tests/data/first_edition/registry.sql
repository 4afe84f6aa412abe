CREATE TABLE public.events (
    id integer NOT NULL,
    at timestamp with time zone NOT NULL,
    kind character varying(40) NOT NULL,
    model character varying(255) NOT NULL,
    version character varying(40) NOT NULL,
    commit character varying(80) NOT NULL,
    message text NOT NULL,
    detail text NOT NULL
);

CREATE SEQUENCE public.events_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.events_id_seq OWNED BY public.events.id;

ALTER TABLE ONLY public.events ALTER COLUMN id SET DEFAULT nextval('public.events_id_seq'::regclass);

INSERT INTO public.events VALUES (1, '2026-06-21 12:00:00.25+00', 'live', 'Iris', 'v1', '3f786850e387550fdab836ed7e6dc881de23001b', 'v1 is live after 0.42 s', '');
INSERT INTO public.events VALUES (2, '2026-06-21 12:00:01.25+00', 'failed', 'Iris', 'v2', 'b10032ed188cd6e7de638badf055783e058687f3', 'v2 failed at load: SyntaxError', 'line 1
line 2
');
INSERT INTO public.events VALUES (3, '2026-06-21 12:00:02.25+00', 'request_failed', 'Iris', 'v1', '3f786850e387550fdab836ed7e6dc881de23001b', 'ValueError: no species ''Öland''', '');
INSERT INTO public.events VALUES (4, '2026-06-21 12:00:03.25+00', 'source_lost', '', '', '', 'the repository can''t be read', '');

SELECT pg_catalog.setval('public.events_id_seq', 4, true);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);

CREATE INDEX events_by_model ON public.events USING btree (model, id);
