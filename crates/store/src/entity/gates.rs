//! Gates before providers and apps. The id is that of the connector or the app.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "gates")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub rate_requests: Option<i32>,
    pub rate_seconds: Option<i32>,
    pub concurrency: Option<i32>,
    pub arrival: i64,
    pub closed_until: Option<i64>,
    pub failures: i32,
    pub failing_since: Option<i64>,
    pub opened_at: Option<i64>,
    pub next_probe_at: Option<i64>,
    pub retry_credit: i32,
    pub retry_floor_at: Option<i64>,
    pub wave: Option<String>,
    pub trouble_at: Option<i64>,
    pub spreading_until: Option<i64>,
    pub mint_requests: Option<i32>,
    pub mint_seconds: Option<i32>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
